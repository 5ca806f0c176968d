# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What is shown of a long log."""

import pytest
from sm2a_runtime.log_excerpt import LONGEST_LINE, excerpt

LINES = [f"line {number}" for number in range(10)]


@pytest.mark.parametrize(
    ("lines", "shown"),
    [
        ([], []),
        (LINES[:4], LINES[:4]),
        (LINES[:5], LINES[:5]),
        (LINES[:6], [*LINES[:2], "[1 lines of 0.0 MiB are not shown here. There.]", *LINES[3:6]]),
        (LINES, [*LINES[:2], "[5 lines of 0.0 MiB are not shown here. There.]", *LINES[7:]]),
    ],
)
def test_begin_and_end(lines: list[str], shown: list[str]) -> None:
    # Two lines at the begin, three at the end.
    assert list(excerpt(lines, "There.", first=12, last=18)) == shown


def test_a_last_line_is_shown_whatever_its_length() -> None:
    shown = list(excerpt([*LINES, "x" * 100], "There.", first=12, last=18))
    assert shown == [*LINES[:2], "[8 lines of 0.0 MiB are not shown here. There.]", "x" * 100]


def test_no_line_is_longer_than_a_page_can_show() -> None:
    (line,) = excerpt(["x" * (LONGEST_LINE + 7)], "There.")
    assert line == f"{'x' * LONGEST_LINE} [7 more characters]"


def test_lines_are_read_as_they_are_shown() -> None:
    """A reader that goes away ends it."""
    lines = iter(LINES)
    stream = excerpt(lines, "There.", first=12, last=18)
    assert next(stream) == "line 0"
    assert next(lines) == "line 1"
