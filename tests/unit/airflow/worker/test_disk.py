# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A worker says that its disk is nearly full, once each time."""

from pathlib import Path

import pytest
from sm2a_runtime.worker.disk import GIB, MIB, DiskWatch


def test_it_speaks_once_and_again_after_there_was_space(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    free = iter([int(share * 20 * GIB) for share in (0.5, 0.06, 0.04, 0.0, 0.06, 0.04, 0.11, 0.03)])
    watch = DiskWatch(tmp_path, lambda _folder: (20 * GIB, 0, next(free)))
    said = []
    for _ in range(8):
        watch.look()
        said.append(len(caplog.records))
    assert said == [0, 0, 1, 1, 1, 1, 1, 2]
    assert f"{int(0.04 * 20 * GIB) // MIB} MiB of 20 GiB are left" in caplog.messages[0]
    assert "ephemeral_storage_gib in airflow_worker_groups" in caplog.messages[0]


def test_the_disk_is_that_of_temporary_files(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    asked: list[Path] = []

    def usage(folder: Path) -> tuple[int, int, int]:
        asked.append(folder)
        return GIB, 0, GIB

    DiskWatch(usage=usage).look()
    assert asked == [tmp_path]


def test_a_disk_that_cannot_be_looked_at_does_not_stop_the_worker(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    DiskWatch(tmp_path / "gone").look()
    assert "Cannot look at the disk of" in caplog.text
