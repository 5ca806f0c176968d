# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Task logs in S3 that are only ever added to: who writes them can neither read nor change those of other tasks.

Airflow appends to the log of a task that goes on elsewhere, after it was deferred for instance: it reads the object
and writes it anew, for which it needs the right to read and to replace every log. Here the next part is an object
beside it, which Airflow finds as well: it reads all whose names begin like the log's.

Logs can be large. They are stored from the file and read line by line, never as a whole in memory, and shown as
``log_excerpt`` says.

`[logging] logging_config_class` names ``LOGGING_CONFIG``; ``REMOTE_TASK_LOG`` is found beside it.
"""

import logging
import shutil
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from os import PathLike
from pathlib import Path
from typing import Any

from airflow.config_templates import airflow_local_settings as defaults
from airflow.providers.amazon.aws.log.s3_task_handler import S3RemoteLogIO
from airflow.utils.log.file_task_handler import FileTaskHandler
from botocore.exceptions import BotoCoreError, ClientError

from sm2a_runtime.log_excerpt import MEBIBYTE, excerpt

log = logging.getLogger(__name__)

# Each with those of boto3 itself.
ATTEMPTS = 2
Lines = Iterable[str]


class TaskLogs(S3RemoteLogIO):  # type: ignore[misc]  # airflow is no dependency of the tests
    """Writes each part of a log as a new object, and reads all parts."""

    def upload(self, path: PathLike[str] | str, ti: Any = None) -> None:
        """Store the file, which is below the folder of logs; it stays when that was not possible."""
        folder = Path(self.base_log_folder).resolve()
        file = folder.joinpath(path).resolve()
        if not file.is_relative_to(folder):
            log.warning("The log %s is not stored: it is outside of %s", file, folder)
        elif file.is_file() and self._store(file, self._location(file.relative_to(folder))):
            if self.delete_local_copy:
                shutil.rmtree(file.parent)
            else:
                file.write_text("")

    def _store(self, file: Path, location: str) -> bool:
        """Make the next part of the log; whether that was possible."""
        part = f"{location}.{datetime.now(UTC):%Y%m%dT%H%M%S.%f}.log"
        return any(self._create(name, file) for name in (location, part))

    def _create(self, location: str, file: Path) -> bool:
        """Make the object; whether that was possible, which it is not when there is one of that name."""
        bucket, key = self.hook.parse_s3_url(location)
        for left in reversed(range(ATTEMPTS)):
            try:
                with file.open("rb") as body:
                    self.hook.get_conn().put_object(Bucket=bucket, Key=key, Body=body, IfNoneMatch="*")
            except (BotoCoreError, ClientError) as error:
                if getattr(error, "response", {}).get("Error", {}).get("Code") == "PreconditionFailed":
                    return False
                log.warning("Cannot write the log %s (%d attempts left): %s", location, left, error)
            else:
                return True
        return False

    def stream(self, relative_path: str, ti: Any) -> tuple[list[str], list[Lines]]:
        """Where the parts of the log are, and their lines, for who looks at a log."""
        bucket, prefix = self.hook.parse_s3_url(self._location(relative_path))
        keys = sorted(self.hook.list_keys(bucket_name=bucket, prefix=prefix) or [])
        locations = [f"s3://{bucket}/{key}" for key in keys]
        lines = (line for key in keys for line in self._lines(bucket, key))
        return locations, [excerpt(lines, f"All of it: {', '.join(locations)}")] if keys else []

    def _location(self, path: PathLike[str] | str) -> str:
        return f"{self.remote_base.rstrip('/')}/{path}"

    def _lines(self, bucket: str, key: str) -> Iterator[str]:
        try:
            body = self.hook.get_conn().get_object(Bucket=bucket, Key=key)["Body"]
            yield from (line.decode(errors="replace") for line in body.iter_lines(chunk_size=MEBIBYTE))
        except (BotoCoreError, ClientError) as error:
            log.warning("Cannot read the log s3://%s/%s: %s", bucket, key, error)
            yield f"The log s3://{bucket}/{key} cannot be read: {error}"


class TaskLogHandler(FileTaskHandler):  # type: ignore[misc]  # airflow is no dependency of the tests
    """Reads the log of a running task from its worker, as much of it as can be shown."""

    def _read_from_logs_server(self, ti: Any, worker_log_rel_path: str) -> tuple[list[str], list[Lines]]:
        sources, streams = super()._read_from_logs_server(ti, worker_log_rel_path)
        return sources, [excerpt(lines, "All of it is in S3 when the task has ended.") for lines in streams]


def _with_handler(configuration: dict[str, Any]) -> dict[str, Any]:
    """Airflow's configuration with the handler above."""
    handlers = configuration["handlers"]
    task = {**handlers["task"], "class": f"{__name__}.{TaskLogHandler.__name__}"}
    return {**configuration, "handlers": {**handlers, "task": task}}


# No DEFAULT_REMOTE_CONN_ID: the task role writes, and Airflow looks for no connection.
LOGGING_CONFIG = _with_handler(defaults.DEFAULT_LOGGING_CONFIG)
REMOTE_TASK_LOG = TaskLogs.from_config() if defaults.REMOTE_LOGGING else None
