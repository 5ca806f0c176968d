# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The project's Python packages beside Airflow's: what wins, and what is told when nothing can."""

import re
from pathlib import Path

import pytest
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.unit.airflow.project.uv import Uv, on_path
from packaging.utils import canonicalize_name
from sm2a_runtime.project import requirements

PRESENT = {
    "apache-airflow-core": "3.3.2",
    "celery": "5.6.3",
    "mysqlclient": "2.2.8",
    "pathspec": "1.1.1",
    "sqlalchemy": "2.0.51",
}


@pytest.fixture
def uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Uv:
    tested = tmp_path / "constraints.txt"
    tested.write_text("# tested\nSQLAlchemy==2.0.40\npandas==3.0.2\n", encoding="utf-8")
    monkeypatch.setattr(requirements, "TESTED", tested)
    monkeypatch.setattr(requirements, "installed", lambda: dict(PRESENT))
    monkeypatch.delenv("REQUIRE_HASHES", raising=False)
    return on_path(tmp_path, monkeypatch)


def install(tmp_path: Path, text: str) -> int:
    file = tmp_path / "requirements.txt"
    file.write_bytes(text.encode())
    return requirements.main([str(file)])


def test_a_file_that_says_nothing_installs_nothing(uv: Uv, tmp_path: Path) -> None:
    assert install(tmp_path, "\ufeff# nothing\r\n\r\n") == 0
    assert uv.calls == []


def test_versions_are_chosen_for_all_together_and_then_installed(uv: Uv, tmp_path: Path) -> None:
    assert install(tmp_path, "\ufeffpandas<3  \r\n\r\n# ours\r\ndbt-core\r\n") == 0
    choose, put, check = uv.calls
    assert choose.arguments[:2] == ["pip", "compile"]
    assert choose.files["requirements.txt"] == "pandas<3  \n\n# ours\ndbt-core\n"
    assert str(requirements.WANTED) in choose.arguments
    assert put.arguments[:2] == ["pip", "install"]
    assert put.files["lock.txt"] == choose.files["lock.txt"]
    assert "--require-hashes" not in put.arguments
    assert check.arguments[:2] == ["pip", "check"]


def test_what_airflow_has_is_needed_and_only_what_must_stays_as_it_is(uv: Uv, tmp_path: Path) -> None:
    assert install(tmp_path, "dbt-core\n") == 0
    needed = uv.calls[0].files["needs.txt"].splitlines()
    assert needed == ["apache-airflow-core==3.3.2", "celery==5.6.3", "pathspec", "sqlalchemy==2.0.51"]


def test_versions_of_the_image_and_tested_ones_are_preferred_not_demanded(uv: Uv, tmp_path: Path) -> None:
    assert install(tmp_path, "pandas<3\n") == 0
    choose = uv.calls[0]
    assert choose.arguments[choose.arguments.index("--output-file") + 1].endswith("lock.txt")
    assert {"pandas==3.0.2", "pathspec==1.1.1", "sqlalchemy==2.0.51"} <= set(choose.files["lock.txt"].splitlines())
    assert "-c" not in choose.arguments


@pytest.mark.parametrize(("text", "variable"), [("jq==1 --hash=sha256:0\n", ""), ("jq==1\n", "true")])
def test_with_hashes_everything_is_held_to_them(
    uv: Uv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, variable: str
) -> None:
    monkeypatch.setenv("REQUIRE_HASHES", variable)
    assert install(tmp_path, text) == 0
    put = uv.calls[0].arguments
    assert put[:2] == ["pip", "install"]
    assert "--require-hashes" in put
    assert [put[at + 1] for at, word in enumerate(put) if word == "-c"] == [str(path) for path in requirements.PINS]


@pytest.mark.parametrize(
    "line",
    [
        '--constraint "https://example.com/constraints-3.12.txt"',
        "-c https://raw.githubusercontent.com/apache/airflow/constraints-2.10.3/constraints-3.11.txt",
        "--constraint=/usr/local/airflow/constraints-3.12.txt",
    ],
)
def test_constraints_of_another_airflow_are_left_out_with_a_word(
    uv: Uv, tmp_path: Path, capsys: pytest.CaptureFixture[str], line: str
) -> None:
    assert install(tmp_path, f"{line}\r\npandas\r\n") == 0
    assert uv.calls[0].files["requirements.txt"] == "\npandas\n"
    said = capsys.readouterr().err
    assert said == "requirements.txt, line 1: left out, these are the constraints of another Airflow\n"


def test_constraints_of_the_company_are_kept(uv: Uv, tmp_path: Path) -> None:
    line = "--constraint https://example.com/approved.txt\n"
    assert install(tmp_path, f"{line}pandas\n") == 0
    assert uv.calls[0].files["requirements.txt"] == f"{line}pandas\n"


def test_what_can_never_be_is_told_by_line_before_anything_is_asked(
    uv: Uv, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "pathspec<1\nSQLAlchemy>=1.4,<2  # old\napache-airflow-core==2.10.3\ncelery\n"
    text += "mysqlclient==1; python_version<'3'\n"
    assert install(tmp_path, text) == 1
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "requirements.txt cannot be installed:",
        "line 2: SQLAlchemy>=1.4,<2, but Airflow here needs sqlalchemy 2.0.51",
        "line 3: apache-airflow-core==2.10.3, but Airflow here needs apache-airflow-core 3.3.2",
        requirements.WAY_OUT,
    ]
    assert uv.calls == []


def test_a_conflict_is_told_with_what_uv_says_and_a_way_out(
    uv: Uv, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    uv.fail("compile")
    assert install(tmp_path, "click<8\n") == 1
    said = capsys.readouterr().err
    assert "They do not fit to what Airflow itself needs, or to each other:\nerror: No solution found\n" in said
    assert said.endswith(f"{requirements.WAY_OUT}\n")
    assert len(uv.calls) == 1


def test_another_fault_of_uv_is_told_as_it_is(uv: Uv, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    uv.fail("compile", "error: Failed to fetch: https://pypi.org/simple/click/")
    assert install(tmp_path, "click\n") == 1
    said = capsys.readouterr().err
    assert said == "requirements.txt cannot be installed:\nerror: Failed to fetch: https://pypi.org/simple/click/\n"


def test_versions_that_moved_are_told(
    uv: Uv, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter([dict(PRESENT), {**PRESENT, "pathspec": "1.0.4", "dbt-core": "1.12.6"}])
    monkeypatch.setattr(requirements, "installed", lambda: next(answers))
    assert install(tmp_path, "dbt-core\n") == 0
    said = capsys.readouterr().err
    assert said == "Airflow was not tested with these versions, but allows them: pathspec 1.1.1 -> 1.0.4\n"


def test_what_requirements_in_names_keeps_its_version() -> None:
    lists = [PROJECT / f"docker/airflow/{name}" for name in ("requirements.in", "source-requirements.txt")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in lists)
    named = {canonicalize_name(name) for name in re.findall(r"^([A-Za-z][\w.-]*)", text, re.MULTILINE)}
    assert {"apache-airflow", "celery", "asyncpg", "mysqlclient"} <= named
    assert [name for name in sorted(named) if not requirements.is_firm(name)] == []
