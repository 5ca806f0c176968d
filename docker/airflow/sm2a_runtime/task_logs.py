# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Task logs in S3 that are only ever added to: who writes them can neither read nor change those of other tasks.

Airflow appends to the log of a task that goes on elsewhere, after it was deferred for instance: it reads the object
and writes it anew, for which it needs the right to read and to replace every log. Here the next part is an object
beside it, which Airflow finds as well: it reads all whose names begin like the log's.

`[logging] logging_config_class` names ``LOGGING_CONFIG``; ``REMOTE_TASK_LOG`` is found beside it.
"""

import logging
from datetime import UTC, datetime

from airflow.config_templates import airflow_local_settings as defaults
from airflow.providers.amazon.aws.log.s3_task_handler import S3RemoteLogIO
from botocore.exceptions import BotoCoreError, ClientError

log = logging.getLogger(__name__)

# Each with those of boto3 itself.
ATTEMPTS = 2


class TaskLogs(S3RemoteLogIO):  # type: ignore[misc]  # airflow is no dependency of the tests
    """Writes each part of a log as a new object."""

    def write(self, text: str, location: str) -> bool:
        """Store the text; whether that was possible, for otherwise Airflow keeps the file that it is from."""
        part = f"{location}.{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.log"
        return any(self._create(name, text) for name in (location, part))

    def _create(self, location: str, text: str) -> bool:
        """Make the object; whether that was possible, which it is not when there is one of that name."""
        bucket, key = self.hook.parse_s3_url(location)
        for left in reversed(range(ATTEMPTS)):
            try:
                self.hook.get_conn().put_object(Bucket=bucket, Key=key, Body=text.encode(), IfNoneMatch="*")
            except (BotoCoreError, ClientError) as error:
                if getattr(error, "response", {}).get("Error", {}).get("Code") == "PreconditionFailed":
                    return False
                log.warning("Cannot write the log %s (%d attempts left): %s", location, left, error)
            else:
                return True
        return False


# No DEFAULT_REMOTE_CONN_ID: the task role writes, and Airflow looks for no connection.
LOGGING_CONFIG = defaults.DEFAULT_LOGGING_CONFIG
REMOTE_TASK_LOG = TaskLogs.from_config() if defaults.REMOTE_LOGGING else None
