# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for the command lines of Docker and Podman: it keeps its images in a JSON file and pushes to a registry.

``install`` puts it on PATH, alone with the few tools that it needs, so that a test never meets a real engine.
Run as a program it is the engine.
"""

from __future__ import annotations

import fcntl
import http.client
import json
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pytest

TOOLS = ("bash", "sh", "tar", "cat", "env")
MANIFEST = "application/vnd.docker.distribution.manifest.v2+json"


class FakeEngine:
    """One installed stand-in."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    @property
    def images(self) -> dict[str, dict[str, str]]:
        """Labels by image name."""
        return dict(_read(self.directory)["images"])

    @property
    def calls(self) -> list[list[str]]:
        """Arguments of every command, in order."""
        return list(_read(self.directory)["calls"])

    def calls_of(self, verb: str) -> list[list[str]]:
        """Arguments of the commands of one verb, such as ``build``."""
        return [call for call in self.calls if verb in call[:3]]

    def add_image(self, name: str, **labels: str) -> None:
        """Put an image into the engine."""
        state = _read(self.directory)
        state["images"][name] = labels
        _write(self.directory, state)


def install(directory: Path, monkeypatch: pytest.MonkeyPatch, *kinds: str) -> FakeEngine:
    """Put stand-ins for ``kinds`` (``docker``, ``podman``) on an otherwise bare PATH."""
    tools = directory / "bin"
    tools.mkdir()
    for tool in TOOLS:
        found = next(place for place in (Path("/usr/bin"), Path("/bin")) if (place / tool).exists())
        (tools / tool).symlink_to(found / tool)
    for kind in kinds:
        script = tools / kind
        script.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{directory}" {kind} "$@"\n')
        script.chmod(script.stat().st_mode | stat.S_IEXEC)
    _write(directory, {"images": {}, "calls": []})
    monkeypatch.setenv("PATH", str(tools))
    monkeypatch.setattr(
        "ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine.SYSTEM_PATHS", str(tools)
    )
    return FakeEngine(directory)


def _read(directory: Path) -> Any:
    return json.loads((directory / "engine.json").read_text())


def _write(directory: Path, state: Any) -> None:
    (directory / "engine.json").write_text(json.dumps(state))


def _option(arguments: list[str], name: str) -> str:
    return arguments[arguments.index(name) + 1]


def _build(state: Any, arguments: list[str]) -> int:
    dockerfile = Path(_option(arguments, "--file")).read_text()
    print(f"STEP 1: building {dockerfile!r}")
    if "RUN false" in dockerfile:
        print("the command returned 1")
        return 1
    label, _equals, value = _option(arguments, "--label").partition("=")
    state["images"][_option(arguments, "--tag")] = {label: value}
    return 0


def _push(arguments: list[str]) -> int:
    """Write a manifest where the real engine would; the login has to be in the file that is named for it."""
    if "--authfile" in arguments:
        login = Path(_option(arguments, "--authfile"))
    else:
        login = Path(_option(arguments, "--config")) / "config.json"
    host, _slash, rest = arguments[-1].removeprefix("docker://").partition("/")
    if login.stat().st_mode & 0o077 or not json.loads(login.read_text())["auths"][host]["auth"]:
        print("no private login")
        return 1
    name, _colon, tag = rest.rpartition(":")
    body = json.dumps({"schemaVersion": 2, "name": name, "tag": tag}).encode()
    registry = http.client.HTTPConnection(host, timeout=10)
    registry.request("PUT", f"/v2/{name}/manifests/{tag}", body, {"Content-Type": MANIFEST})
    answer = registry.getresponse()
    print(answer.read().decode())
    return 0 if answer.status == 201 else 1


def main(directory: Path, kind: str, arguments: list[str]) -> int:
    """Do what the engine ``kind`` would; the exit code."""
    state = _read(directory)
    state["calls"].append(arguments)
    code = 0
    if "build" in arguments:
        code = _build(state, arguments)
    elif "push" in arguments:
        code = _push(arguments)
    elif "pull" in arguments:
        state["images"][arguments[-1]] = {}
    elif "import" in arguments:
        sys.stdin.buffer.read()
        labels = [text.removeprefix("LABEL ") for text in arguments if text.startswith("LABEL ")]
        state["images"][arguments[-1]] = dict(label.split("=", 1) for label in labels)
    elif arguments[:2] == ["image", "inspect"]:
        labels = state["images"].get(arguments[-1])
        if labels is None:
            print(f"Error: {arguments[-1]}: image not known" if kind == "podman" else "No such image", file=sys.stderr)
            code = 1
        else:
            print(json.dumps([{"Id": "sha256:" + "1" * 64, "Config": {"Labels": labels or None}}]))
    elif arguments[0] == "cp":
        Path(arguments[2]).write_text(f"copied from {arguments[1]}\n")
    elif arguments[0] == "tag":
        state["images"][arguments[2]] = state["images"][arguments[1]]
    else:
        answers = {"info": str(directory), "version": "28.0.0", "context": "unix:///run/fake.sock"}
        print(answers.get(arguments[0], f"container-of-{arguments[-1]}"))
    _write(directory, state)
    return code


if __name__ == "__main__":
    with (Path(sys.argv[1]) / "lock").open("w") as lock:
        # Images are built at the same time.
        fcntl.flock(lock, fcntl.LOCK_EX)
        sys.exit(main(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
