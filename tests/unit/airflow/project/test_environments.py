# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Further Python environments that a project declares."""

from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.unit.airflow.project.uv import Uv, on_path
from sm2a_runtime.project import environments


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Uv:
    monkeypatch.delenv("REQUIRE_HASHES", raising=False)
    return on_path(tmp_path, monkeypatch)


def declare(tmp_path: Path, **texts: str) -> str:
    folder = tmp_path / "environments"
    folder.mkdir()
    (folder / "README.md").touch()
    for name, text in texts.items():
        (folder / name).mkdir()
        (folder / name / "requirements.txt").write_bytes(text.encode())
    return str(folder)


def test_each_folder_becomes_an_environment(uv: Uv, tmp_path: Path) -> None:
    assert environments.main([declare(tmp_path, dbt="\ufeffdbt-core\r\n", empty="# later\n")]) == 0
    made, filled, empty = uv.calls
    assert made.arguments == ["venv", "--quiet", "--python", "/usr/bin/python3", "/opt/environments/dbt"]
    assert filled.arguments[:2] == ["pip", "install"]
    assert "/opt/environments/dbt/bin/python" in filled.arguments
    assert filled.files == {"requirements.txt": "dbt-core\n"}
    assert empty.arguments[-1] == "/opt/environments/empty"


def test_hashes_are_held_to(uv: Uv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = declare(tmp_path, one="a==1 --hash=sha256:0\n", two="b\n")
    assert environments.main([folder]) == 0
    assert ["--require-hashes" in call.arguments for call in uv.calls] == [False, True, False, False]
    monkeypatch.setenv("REQUIRE_HASHES", "true")
    assert environments.main([folder]) == 0
    assert ["--require-hashes" in call.arguments for call in uv.calls[4:]] == [False, True, False, True]


def test_one_that_cannot_be_installed_is_named(uv: Uv, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uv.fail("install")
    assert environments.main([declare(tmp_path, dbt="no-such\n")]) == 1
    said = capsys.readouterr().err
    assert said == "environments/dbt/requirements.txt cannot be installed:\nerror: No solution found\n"


def test_a_folder_without_requirements_is_a_mistake(uv: Uv, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = declare(tmp_path, fine="")
    (Path(folder) / "sub").mkdir()
    assert environments.main([folder]) == 1
    assert capsys.readouterr().err == "environments/sub has no requirements.txt\n"
    assert uv.calls == []


def test_a_name_that_cannot_be_a_path_is_a_mistake(uv: Uv, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert environments.main([declare(tmp_path, **{"my tools": "a\n"})]) == 1
    assert "a name has letters, digits" in capsys.readouterr().err
