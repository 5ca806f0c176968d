# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Finds what Dockerfiles and shell scripts download without anything that guards its content."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
COMMENT = re.compile(r"^\s*#.*\n", re.MULTILINE)
SEPARATORS = re.compile(r"\n|;|&&|\|\|?|\bthen\b|\bdo\b|[{}]\s")
INSTALL = re.compile(r"(\bpip3?['\"]?(\s+\S+)*?\s+(install|download|wheel)\b)|\bpipx\s|\buvx\s|\buv\s+(tool|run|add)\b")
SYNC = re.compile(r"\buv['\"]?\s+sync\b")
OTHERS = re.compile(r"(?<![\w./-])(curl|wget|npm|npx|yarn|gem|go\s+(get|install)|cargo\s+install|ansible-galaxy)\s")
CLONE = re.compile(r"\bgit\s+clone\b")
# Commands that only tell somebody what to install.
MESSAGES = ("fail ", "say ", "echo ", "printf ", "@echo ")
# Debian's packages are signed, unless apt is told not to look.
UNSIGNED = re.compile(
    r"--allow-unauthenticated|--allow-insecure|--force-yes|--no-gpg-check|--no-check-gpg|trusted=yes|AllowInsecure|AllowUnauth"
)


def commands(script: str) -> Iterator[str]:
    """The single commands of a shell script, each on one line."""
    joined = COMMENT.sub("", script).replace("\\\n", " ")
    for part in SEPARATORS.split(joined):
        command = " ".join(part.split())
        if command:
            yield command


def problem(command: str) -> str:
    """What is not guarded in a command; "" when nothing is."""
    if UNSIGNED.search(command):
        return "installs packages without looking at their signatures"
    if command.startswith(MESSAGES):
        return ""
    wrong = ""
    if INSTALL.search(command) and "--require-hashes" not in command:
        wrong = "installs Python packages without hashes"
    elif INSTALL.search(command) and not re.search(r"--only-binary[ =]:all:|--no-build-isolation", command):
        wrong = "builds Python packages with others that it downloads without hashes"
    elif SYNC.search(command) and not re.search(r"--(frozen|locked)\b", command):
        wrong = "changes the lock file, and with it the hashes"
    elif OTHERS.search(command) or CLONE.search(command):
        wrong = "downloads without a hash"
    return wrong


def instructions(dockerfile: str) -> Iterator[tuple[str, str]]:
    """Name and text of each instruction of a Dockerfile."""
    joined = COMMENT.sub("", dockerfile).replace("\\\n", " ")
    for line in joined.splitlines():
        name, _space, text = line.strip().partition(" ")
        if name:
            yield name.upper(), text.strip()


def dockerfile_problems(dockerfile: str) -> Iterator[str]:
    """One sentence for each download of a Dockerfile that nothing guards."""
    stages, arguments = {"scratch"}, {}
    for name, text in instructions(dockerfile):
        if name == "ARG":
            argument, _equals, value = text.partition("=")
            arguments[argument] = value.strip("\"'")
        elif name == "FROM":
            words = [word for word in text.split() if not word.startswith("--")]
            yield from _image_problem(words[0], arguments, stages)
            stages |= {words[2]} if len(words) == 3 else set()
        elif name in ("COPY", "ADD", "RUN"):
            for image in re.findall(r"\bfrom=([^\s,]+)", text):
                yield from _image_problem(image, arguments, stages)
            if name == "ADD" and re.search(r"https?://|git@", text) and "--checksum=sha256:" not in text:
                yield f"ADD {text}: downloads without a hash"
            if name == "RUN":
                script = re.sub(r"^(--\S+\s+)+", "", text)
                yield from (f"{command}: {wrong}" for command in commands(script) if (wrong := problem(command)))


def _image_problem(image: str, arguments: dict[str, str], stages: set[str]) -> Iterator[str]:
    named = re.sub(r"\$\{?(\w+)\}?", lambda match: arguments.get(match[1], ""), image)
    if named not in stages and not DIGEST.search(named):
        yield f"{image}: an image without its digest"


def shell_scripts(project: Path, names: list[str]) -> Iterator[tuple[str, str]]:
    """Name and text of each file that is a shell script or a Makefile."""
    for name in names:
        path = project / name
        if path.is_symlink() or not path.is_file():
            continue
        head = path.open("rb").readline()
        if path.name == "Makefile" or re.match(rb"#!.*\b(sh|bash)\b", head):
            yield name, path.read_text(encoding="utf-8")
