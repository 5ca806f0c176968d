# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Where a secret's value comes from when it is not given itself. Errors name the source and never show a value."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager import api
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager.values import as_object, text_of


def value_from(client: Any, source: Mapping[str, Any], name: str) -> str:
    """The value for the secret ``name`` from one of ``environment``, ``file`` and ``secret`` (with ``key``)."""
    if source.get("environment"):
        return from_environment(source["environment"], name)
    if source.get("file"):
        return from_file(Path(source["file"]), name)
    return from_secret(client, source["secret"], source.get("key"), name)


def from_environment(variable: str, name: str) -> str:
    """The value of an environment variable of the machine on which the module runs."""
    value = os.environ.get(variable)
    if not value:
        raise AnsibleAWSError(
            message=f"Environment variable {variable}, the source of secret {name}, is not set: export it first"
        )
    return value


def from_file(path: Path, name: str) -> str:
    """The text of a file of that machine, without the line break at its end."""
    if not path.is_absolute():
        raise AnsibleAWSError(message=f"{path}, the source of secret {name}, must be an absolute path")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise AnsibleAWSError(message=f"Cannot read {path}, the source of secret {name}: {reason}") from None
    if not text.strip():
        raise AnsibleAWSError(message=f"{path}, the source of secret {name}, is empty")
    return text.removesuffix("\n").removesuffix("\r")


def from_secret(client: Any, source: str, key: str | None, name: str) -> str:
    """The value of another secret, or of one key of the JSON object that it holds."""
    value = api.secret_value(client, source)
    if value is None:
        raise AnsibleAWSError(message=f"Secret {source}, the source of secret {name}, does not exist or holds no text")
    if key is None:
        return value
    members = as_object(value, f"Secret {source}")
    if key not in members:
        raise AnsibleAWSError(message=f"Secret {source}, the source of secret {name}, has no key {key}")
    return text_of(members[key])
