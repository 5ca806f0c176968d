# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The program behind a terminal of this machine."""

from __future__ import annotations

import os
import pty
import select
import shlex
import shutil
import subprocess
from collections.abc import Iterator

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec import shell

SHELLS = [name for name in ("dash", "bash", "busybox") if shutil.which(name)]
SECONDS = 10


class Terminal:
    """The program in a shell, behind a terminal as the agent makes one."""

    def __init__(self, name: str) -> None:
        command = shlex.split(shell.start_command("begin"))
        program = [name, "sh", *command[1:]] if name == "busybox" else [name, *command[1:]]
        self.process, self.terminal = pty.fork()
        if self.process == 0:
            os.execvp(program[0], program)  # noqa: S606 (the program of a session, no user's)
        self.lines = shell.Lines()
        while not shell.is_ready(self.read(), "begin"):
            pass

    def read(self) -> list[bytes]:
        readable, _, _ = select.select([self.terminal], [], [], SECONDS)
        assert readable, "the program is silent"
        return self.lines.split(os.read(self.terminal, 1024))

    def run(self, command: str, given: bytes = b"") -> tuple[int, bytes, bytes]:
        output, errors = bytearray(), bytearray()
        answer = shell.Answer("mark", output.extend, errors.extend)
        waiting = b"".join(shell.request("mark", command, [given] if given else []))
        while not answer.complete:
            readable, writable, _ = select.select([self.terminal], [self.terminal] if waiting else [], [], SECONDS)
            assert readable or writable, "the program is silent"
            if writable:
                waiting = waiting[os.write(self.terminal, waiting[:1024]) :]
            if readable:
                for line in self.lines.split(os.read(self.terminal, 1024)):
                    answer.take(line)
        return answer.exit_code, bytes(output), bytes(errors)


@pytest.fixture(params=SHELLS)
def terminal(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    made = Terminal(request.param)
    yield made
    os.write(made.terminal, shell.END_OF_FILE)
    assert os.waitpid(made.process, 0)[1] == 0
    os.close(made.terminal)


def test_exit_codes_output_and_errors(terminal: Terminal) -> None:
    assert terminal.run("echo out; echo err >&2; exit 7") == (7, b"out\n", b"err\n")
    assert terminal.run("false") == (1, b"", b"")
    code, output, errors = terminal.run("if then")
    assert (code, output) == (2, b"")
    assert b"yntax error" in errors
    assert terminal.run("cd /; pwd") == (0, b"/\n", b"")
    assert terminal.run("test -t 0 || test -t 1 || test -t 2 || echo no terminal")[1] == b"no terminal\n"


@pytest.mark.parametrize(
    "data",
    [b"", b"\x00\x03\x04\x11\x13\x1a\x1c\x7f\xff\r\n", b"x" * 765, b"x" * 766, os.urandom(300_001)],
    ids=["empty", "control characters", "a line", "a line and a byte", "binary"],
)
def test_any_bytes_pass_both_ways(terminal: Terminal, data: bytes) -> None:
    assert terminal.run("cat", data) == (0, data, b"")


def test_input_that_is_left_is_not_run(terminal: Terminal) -> None:
    assert terminal.run("exit 3", b"echo attack\n" * 10_000) == (3, b"", b"")
    assert terminal.run("head -c 2; exec 0<&-; sleep 0.1", b"y\n" * 100_000) == (0, b"y\n", b"")
    assert terminal.run("cat") == (0, b"", b"")


def test_commands_may_be_long_and_have_any_characters(terminal: Terminal) -> None:
    text = "ä 'single' \"double\" $HOME `id` \\ \t\n" * 5000
    assert terminal.run(f"printf %s {shlex.quote(text)}") == (0, text.encode(), b"")


def test_a_command_does_not_see_the_way_of_answers(terminal: Terminal) -> None:
    assert terminal.run("echo forged >&3")[0] != 0
    assert terminal.run("echo forged >&4")[0] != 0


def test_a_missing_program_is_named() -> None:
    command = shlex.split(shell.start_command("begin"))
    done = subprocess.run(command, env={"PATH": ""}, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "base64 is missing\n")


def test_pieces_are_joined_to_lines_that_decode_alone() -> None:
    parts = b"".join(shell.request("m", "c", [b"a" * 700, b"b" * 700, b"", b"c"]))
    lines = parts.split(shell.END_OF_FILE)[1].splitlines()
    assert [len(line) for line in lines] == [1020, 848]
    assert not any(b"=" in line for line in lines[:-1])


def test_lines_that_are_not_the_programs_are_shown_when_it_says_nothing() -> None:
    answer = shell.Answer("m", bytearray().extend, bytearray().extend)
    for line in (b"/bin/sh: base64: not found", b"m O not base64!", b"other X 0", b"m ."):
        answer.take(line)
    assert answer.complete
    with pytest.raises(LookupError, match="base64: not found; m O not base64!; other X 0"):
        _ = answer.exit_code
