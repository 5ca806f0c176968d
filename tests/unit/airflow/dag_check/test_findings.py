# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Where something is wrong, in the file of whoever wrote the DAG."""

from pathlib import Path

import pytest
from sm2a_runtime.dag_check.findings import Finding, line_of, listing, of_traceback

CODE = """\
from airflow.sdk import DAG, dag, task


@dag(schedule=None)
def daily():
    @task(queue="large")
    def load(): ...


with DAG("weekly", schedule=None):
    ...
"""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "dags.py"
    path.write_text(CODE, encoding="utf-8")
    return str(path)


@pytest.mark.parametrize(
    ("words", "line"),
    [(["daily"], 5), (["large", "load"], 6), (["gone", "load"], 7), (["weekly"], 10), (["gone"], 0)],
)
def test_the_line_of_what_a_file_names(file: str, words: list[str], line: int) -> None:
    assert line_of(file, *words) == line


@pytest.mark.parametrize("content", [b"def broken(:\n", b"\xff\xfe\x00", b"PK\x03\x04\x00"])
def test_a_file_that_is_no_python_has_no_lines(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "dags.py"
    path.write_bytes(content)
    assert line_of(str(path), "x") == 0
    assert line_of(str(tmp_path / "gone.zip/dag.py"), "x") == 0


def test_a_traceback_is_told_by_its_error_and_its_place_in_the_file(file: str) -> None:
    trace = (
        f'Traceback (most recent call last):\n  File "{file}", line 4, in <module>\n    daily()\n'
        + "".join(f'  File "/opt/venv/{n}.py", line {n}, in deep\n' for n in range(9))
        + "ImportError: no numpy\n"
    )
    found = of_traceback(file, trace)
    assert (found.file, found.line) == (file, 4)
    first, *more = found.text.splitlines()
    assert first == "ImportError: no numpy"
    assert more[-1] == '  File "/opt/venv/8.py", line 8, in deep'
    assert len(more) < 9


def test_an_error_without_a_traceback_is_where_its_words_are(file: str) -> None:
    trace = "AirflowDagDuplicatedIdException: Ignoring DAG weekly from /dags/b.py - also found in /dags/a.py"
    assert of_traceback(file, trace) == Finding(file, 10, trace)


def test_findings_are_listed_once_in_the_order_of_the_code() -> None:
    found = [Finding("b.py", 0, "x"), Finding("a.py", 10, "y\nz"), Finding("a.py", 9, "w"), Finding("b.py", 0, "x")]
    assert listing(found) == "a.py:9: w\na.py:10: y\n    z\nb.py: x"
