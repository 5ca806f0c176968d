# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What counts as created, changed and deleted, and what is noted of it."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from ansible import constants
from ansible_collections.sm2a.airflow.plugins.plugin_utils.loaded_libraries import SERVICES
from ansible_collections.sm2a.airflow.plugins.plugin_utils.summary import changes
from ansible_collections.sm2a.airflow.plugins.plugin_utils.summary.kinds import KINDS, kind_of

CREATED = {"before": {}, "after": {"name": "a"}}
CHANGED = {"before": {"size": 1}, "after": {"size": 2}}
DELETED = {"before": {"name": "a"}, "after": {}}
# They only read or wait.
READERS = {"container_image_platforms", "ecs_service_wait", "rds_instance_wait"}


@pytest.mark.parametrize(
    ("result", "expected"),
    [
        ({"changed": True, "diff": CREATED}, {"created": 1}),
        ({"changed": True, "diff": CHANGED}, {"changed": 1}),
        ({"changed": True, "diff": DELETED}, {"deleted": 1}),
        ({"changed": True, "diff": [CREATED, CREATED, DELETED]}, {"created": 2, "deleted": 1}),
        ({"changed": True, "diff": {"before": {}, "after": {}}}, {"changed": 1}),
        ({"changed": True, "diff": []}, {"changed": 1}),
        ({"changed": True}, {"changed": 1}),
        ({"changed": False, "diff": CREATED}, {}),
        ({"failed": True, "msg": "no"}, {}),
    ],
)
def test_counts(result: dict[str, Any], expected: dict[str, int]) -> None:
    assert changes.counts(result) == Counter(expected)


def test_notes_are_added_up_by_host_and_kind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    assert changes.changes_of("staging") == {}
    changes.note("sm2a.airflow.sqs_queue", "staging", {"changed": True, "diff": [CREATED, CHANGED]})
    changes.note("sqs_queue", "staging", {"changed": True, "diff": DELETED, "secret": "hunter2"})
    changes.note("sm2a.airflow.kms_key", "staging", {"changed": True, "diff": CREATED})
    changes.note("sm2a.airflow.kms_key", "production", {"changed": True, "diff": CREATED})
    changes.note("sm2a.airflow.kms_key", "staging", {"changed": False})
    assert changes.changes_of("staging") == {
        "KMS keys": Counter(created=1),
        "SQS queues": Counter(created=1, changed=1, deleted=1),
    }
    assert "hunter2" not in changes.file_of_run().read_text(encoding="utf-8")
    assert changes.file_of_run().stat().st_mode & 0o777 == 0o600


def test_every_module_that_changes_something_has_a_kind() -> None:
    changing = {name for name in SERVICES if not name.endswith("_info")} - READERS
    assert set(KINDS) == changing
    assert len(set(KINDS.values())) == len(KINDS)


def test_another_module_goes_by_its_name() -> None:
    assert kind_of("community.general.archive") == "archive"
