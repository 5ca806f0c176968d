# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A shell behind a terminal that runs commands one after the other and tells output, errors and exit code apart.

A session of ECS Exec is a terminal and no more: it has one stream, changes what goes through it, and ends without an
exit code. So it runs a small program, which reads requests and writes lines. What is the user's is base64 in both
directions, so that no byte of it means anything to the terminal, the agent or the service in between.

A request is a line with a mark, the command, and what the command is to read; each of the latter two is base64 and ends
with the terminal's end of file. The answer is lines that begin with the mark: `O` has output, `E` errors, `X` the exit
code, and `.` is the last line. Other lines are not the program's.
"""

from __future__ import annotations

import base64
import binascii
import re
import shlex
from collections import deque
from collections.abc import Callable, Iterable, Iterator

END_OF_FILE = b"\x04"
# A line of a terminal ends at 4,096 bytes. Whole groups of four characters, so that each line decodes alone.
LINE_BYTES = 1020
# Files are read in pieces of so many bytes: a multiple of three, so that only the last one is padded.
PIECE_BYTES = 30 * LINE_BYTES
STRANGE_LINES = 5

# Standard input is the terminal; 3 is the terminal, too, and 4 the way of errors to their encoder. What the command
# leaves unread is read by cat, or the program would take it for requests. sed writes whole lines, so that none mix.
PROGRAM = """
for program in base64 sed cat stty; do
  command -v $program > /dev/null || { echo "$program is missing"; exit 1; }
done
# With an echo everything that is sent would be in the session's log.
stty -echo -onlcr || { echo "stty fails"; exit 1; }
exec 3>&1
echo "$1 ready"
while IFS= read -r mark; do
  given=$(base64 -d)
  {
    base64 -d | {
      ( eval "$given" ) 2>&4 3>&- 4>&-
      echo "$mark X $?" >&3
      cat > /dev/null
    } | base64 | sed "s/^/$mark O /" >&3
  } 4>&1 | base64 | sed "s/^/$mark E /"
  echo "$mark ."
done
"""

Sink = Callable[[bytes], object]


def start_command(mark: str) -> str:
    """The command of a session; the program says the mark when it is ready."""
    return shlex.join(["/bin/sh", "-c", PROGRAM.strip(), "sh", mark])


def is_ready(lines: Iterable[bytes], mark: str) -> bool:
    """Whether the program has said so in one of the lines."""
    return any(line.endswith(f"{mark} ready".encode()) for line in lines)


def request(mark: str, command: str, pieces: Iterable[bytes]) -> Iterator[bytes]:
    """What to write for one command, part by part; ``pieces`` are what it is to read."""
    yield f"{mark}\n".encode() + b"".join(_encoded([command.encode()])) + END_OF_FILE
    yield from _encoded(pieces)
    yield END_OF_FILE


def _encoded(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Base64 in lines of which each decodes alone."""
    size = LINE_BYTES // 4 * 3
    rest = b""
    for piece in pieces:
        data = rest + piece
        whole = len(data) // size * size
        rest = data[whole:]
        lines = [base64.b64encode(data[start : start + size]) + b"\n" for start in range(0, whole, size)]
        if lines:
            yield b"".join(lines)
    if rest:
        yield base64.b64encode(rest) + b"\n"


class Lines:
    """The lines of a terminal's output, which comes in parts."""

    def __init__(self) -> None:
        self._rest = b""

    def split(self, data: bytes) -> list[bytes]:
        """The lines that are complete now, without their ends."""
        *complete, self._rest = (self._rest + data).split(b"\n")
        return [line.rstrip(b"\r") for line in complete]

    @property
    def rest(self) -> bytes:
        """The line that is not complete."""
        return self._rest


class Answer:
    """The answer to one request: give it lines until it is ``complete``."""

    def __init__(self, mark: str, output: Sink, errors: Sink) -> None:
        self._line = re.compile(rb"%s ([OEX.]) ?(.*)" % re.escape(mark.encode()))
        self._sinks = {b"O": output, b"E": errors}
        self._strange: deque[bytes] = deque(maxlen=STRANGE_LINES)
        self._exit_code: int | None = None
        self.complete = False

    def take(self, line: bytes) -> None:
        """Take one line of the terminal."""
        found = self._line.fullmatch(line)
        if found is None:
            self._strange.append(line)
        elif found[1] == b".":
            self.complete = True
        elif found[1] == b"X":
            self._exit_code = int(found[2])
        else:
            try:
                self._sinks[found[1]](base64.b64decode(found[2], validate=True))
            except binascii.Error:
                self._strange.append(line)

    @property
    def exit_code(self) -> int:
        """That of the command; LookupError when the program did not say it, with what it said instead."""
        if self._exit_code is None:
            raise LookupError(readable(self._strange) or "nothing")
        return self._exit_code


def readable(lines: Iterable[bytes]) -> str:
    """Lines that are not ours, for an error."""
    return "; ".join(filter(None, (line.decode(errors="replace").strip() for line in lines)))
