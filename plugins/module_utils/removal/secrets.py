# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What the removal of secrets and of the KMS key loses and keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils import kms as kms_api
from ansible_collections.sm2a.airflow.plugins.module_utils.removal.findings import Findings, counted, listed
from ansible_collections.sm2a.airflow.plugins.module_utils.secretsmanager import api as secrets_api

Options = Mapping[str, Any]


def secrets(secretsmanager: Any, options: Options) -> Findings:
    """Secrets can be restored for some days; those that are scheduled for deletion already are left out."""
    wanted = {key: str(value) for key, value in options["tags"].items()}
    found = secrets_api.list_secrets(secretsmanager, options["name_prefix"])
    names = sorted(one["Name"] for one in found if wanted.items() <= secrets_api.tags_of(one).items())
    if not names:
        return Findings()
    days = counted(options["recovery_window_in_days"], "day")
    said = f"{counted(len(names), 'secret')} ({listed(names)}), after {days} in which they can be restored."
    return Findings(lost=[said])


def kms_key(kms: Any, options: Options) -> Findings:
    """The key outlives the environment unless it is to be destroyed; one that waits for its deletion is gone."""
    alias = kms_api.alias_name(options["alias"])
    tags = {key: str(value) for key, value in options["lookup_tags"].items()}
    found = kms_api.find_key(kms, alias, tags)
    if not found or kms_api.is_pending(found[0]):
        return Findings()
    name = f"The KMS key {alias if found[1] else found[0]['KeyId']}"
    if not options["destroy"]:
        return Findings(kept=[f"{name}, as secrets_destroy_kms_key is false."])
    days = counted(options["pending_window"], "day")
    message = (
        f"{name}, after {days} in which that can be cancelled; what is encrypted with it cannot be read any more, "
        "snapshots and buckets that are kept, too."
    )
    return Findings(lost=[message])
