# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Lines of a container's log are events, whatever pieces they come in."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from requests.exceptions import ReadTimeout
from sm2a_local_aws.fargate import awslogs


@pytest.mark.parametrize(
    ("chunks", "expected"),
    [
        ([b"one\ntwo\n"], ["one", "two"]),
        ([b"o", b"ne\nt", b"wo"], ["one", "two"]),
        ([b"caf\xc3", b"\xa9\r\n\n\nend"], ["café", "end"]),
        ([], []),
    ],
)
def test_lines_are_whole_whatever_the_chunks(chunks: list[bytes], expected: list[str]) -> None:
    assert list(awslogs.lines(iter(chunks))) == expected


def test_long_lines_are_cut_at_the_limit_of_an_event() -> None:
    limit = awslogs.LONGEST_LINE
    pieces = list(awslogs.lines(iter([b"x" * limit, b"x" * limit, b"xx\nend", b"y" * (limit + 1) + b"\n"])))
    assert [len(piece) for piece in pieces] == [limit, limit, 2, limit, 4]


class SilentAtFirst:
    """A container whose log is answered at the second request, and whose last line only the log at rest has."""

    def __init__(self) -> None:
        self.asked: list[bool] = []

    def logs(self, *, follow: bool, **_options: Any) -> Iterator[bytes]:
        self.asked.append(follow)
        if len(self.asked) == 1:
            raise ReadTimeout
        return iter([b"first\n"] if follow else [b"first\nlast\n"])


def test_a_container_may_be_silent_for_long_before_its_first_line() -> None:
    container = SilentAtFirst()
    assert list(awslogs.output_of(container)) == ["first", "last"]
    assert container.asked == [True, True, False]
