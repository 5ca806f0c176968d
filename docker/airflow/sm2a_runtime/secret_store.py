# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Read secrets from AWS Secrets Manager. Region, credentials and endpoint come from the environment."""

import json
from typing import Any

import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

DEFAULT_ATTEMPTS = 5


class SecretError(Exception):
    """A secret cannot be read or does not have the expected shape. The message names it and never holds its value."""


def read_secret(secret_id: str, attempts: int = DEFAULT_ATTEMPTS) -> str:
    """The string of the secret with this name or ARN. An attempt takes five seconds at most."""
    config = Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": attempts})
    # botocore alone starts twice as fast as boto3, which matters to a health check.
    session = botocore.session.get_session()
    try:
        client = session.create_client("secretsmanager", config=config)
        response: dict[str, Any] = client.get_secret_value(SecretId=secret_id)
        return str(response["SecretString"])
    except KeyError:
        raise SecretError(f"secret {secret_id} has no string value") from None
    except (BotoCoreError, ClientError) as error:
        raise SecretError(f"secret {secret_id} cannot be read: {error}") from error


def read_json_secret(secret_id: str, *keys: str) -> dict[str, str]:
    """The values of these keys of a secret that is a JSON object of strings."""
    try:
        document = json.loads(read_secret(secret_id))
        return {key: str(document[key]) for key in keys}
    except (ValueError, TypeError):
        raise SecretError(f"secret {secret_id} is not a JSON object") from None
    except KeyError as error:
        raise SecretError(f"secret {secret_id} has no key {error}") from None
