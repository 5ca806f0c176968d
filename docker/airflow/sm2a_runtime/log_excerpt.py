# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Begin and end of a long log. Pure.

Airflow's web server parses every line of a log that somebody looks at, 70 microseconds for each, and again with every
look at the log of a running task. A task that writes 50 MB would keep it busy for half a minute each time.
"""

from collections import deque
from collections.abc import Iterable, Iterator

MEBIBYTE = 1024 * 1024
# Characters, which for a log are about as many bytes: some ten thousand lines at each end, parsed in two seconds.
FIRST, LAST = MEBIBYTE, 2 * MEBIBYTE
LONGEST_LINE = 64 * 1024


def excerpt(lines: Iterable[str], whole: str, first: int = FIRST, last: int = LAST) -> Iterator[str]:
    """All lines of a short log; of a long one ``first`` characters, a line about what is left out, and the ``last``.

    ``whole`` is a sentence that says where all of it is.
    """
    shortened = map(_shortened, lines)
    size = 0
    for line in shortened:
        yield line
        size += len(line)
        if size >= first:
            break
    end: deque[str] = deque()
    size = left_out = left_out_size = 0
    for line in shortened:
        end.append(line)
        size += len(line)
        while size > last and len(end) > 1:
            left_out += 1
            left_out_size += len(end[0])
            size -= len(end.popleft())
    if left_out:
        yield f"[{left_out:,} lines of {left_out_size / MEBIBYTE:,.1f} MiB are not shown here. {whole}]"
    yield from end


def _shortened(line: str) -> str:
    """The begin of a line that no page could show."""
    left_out = len(line) - LONGEST_LINE
    return f"{line[:LONGEST_LINE]} [{left_out:,} more characters]" if left_out > 0 else line
