# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""container_engine with a stand-in podman, which really serves a socket."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.podman_service import PodmanService
from ansible_collections.sm2a.airflow.plugins.modules import container_engine
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.unit.plugins import fake_engine

# Answers GET /_ping on the socket that is its last argument.
SERVICE = """
import os, socketserver, sys
class Ping(socketserver.StreamRequestHandler):
    def handle(self):
        self.rfile.readline()
        self.wfile.write(b"HTTP/1.0 200 OK\\r\\n\\r\\nOK")
print("CONTAINERS_CONF is", os.environ.get("CONTAINERS_CONF"), flush=True)
path = sys.argv[-1].removeprefix("unix://")
if "refuse" in path:
    sys.exit("no rights for that")
socketserver.ThreadingUnixStreamServer(path, Ping).serve_forever()
"""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Root of a machine with every program that Podman needs and no Docker."""
    fake_engine.install(tmp_path, monkeypatch)
    tools = tmp_path / "bin"
    (tmp_path / "service.py").write_text(SERVICE)
    for program in container_engine.PODMAN_PACKAGES.values():
        (tools / program).write_text("#!/bin/sh\n")
        (tools / program).chmod(0o755)
    (tools / "podman").write_text(f'#!/bin/bash\nexec -a podman "{sys.executable}" "{tmp_path}/service.py" "$@"\n')
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(container_engine, "HELPER_DIRECTORIES", ())
    return tmp_path


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Directory of the service, which is ended after the test."""
    yield tmp_path / "podman"
    PodmanService(tmp_path / "podman").stop()


def run(directory: Path, check: bool = False, **more: Any) -> support.Result:
    return support.run("container_engine", {"directory": str(directory), **more}, check=check)


def test_ladder(machine: Path, directory: Path) -> None:
    service = PodmanService(directory)
    assert run(directory, check=True)["changed"]
    assert service.pid() is None
    started = run(directory)
    assert started["changed"]
    assert (started["engine"], started["missing_packages"]) == ("podman", [])
    assert started["socket"] == f"unix://{directory}/podman.sock"
    support.assert_diff(started)
    pid = service.pid()
    assert pid and service.answers()
    for check in (True, False):
        assert not run(directory, check=check)["changed"]
    assert service.pid() == pid

    assert run(directory, check=True, state="stopped")["changed"]
    assert service.pid() == pid
    assert run(directory, state="stopped")["changed"]
    assert service.pid() is None
    assert not service.socket_path.exists()
    for check in (True, False):
        assert not run(directory, check=check, state="stopped")["changed"]


def test_no_other_user_gets_at_the_socket_whatever_the_umask(machine: Path, directory: Path) -> None:
    before = os.umask(0)
    try:
        run(directory)
    finally:
        os.umask(before)
    assert directory.stat().st_mode & 0o777 == 0o700


def test_killed_service_is_started_again(machine: Path, directory: Path) -> None:
    run(directory)
    pid = PodmanService(directory).pid()
    assert pid
    os.kill(pid, 9)
    os.waitpid(pid, 0)
    assert run(directory)["changed"]
    assert PodmanService(directory).answers()


def test_service_without_a_record_is_not_left_behind(machine: Path, directory: Path) -> None:
    """As after an interruption between its start and the writing of its record."""
    run(directory)
    first = PodmanService(directory).pid()
    PodmanService(directory).record.unlink()
    assert run(directory)["changed"]
    second = PodmanService(directory).pid()
    assert second and second != first


def test_configuration_is_given_and_a_change_restarts(machine: Path, directory: Path) -> None:
    conf = machine / "containers.conf"
    conf.write_text("[engine]\n")
    arguments: dict[str, Any] = {"containers_conf": str(conf), "plain_http_registries": ["127.0.0.1:4566"]}
    run(directory, **arguments)
    assert f"CONTAINERS_CONF is {conf}" in PodmanService(directory).log.read_text()
    assert 'location = "127.0.0.1:4566"\ninsecure = true' in PodmanService(directory).registries_conf.read_text()
    assert not run(directory, **arguments)["changed"]
    conf.write_text("[engine]\nruntime = 'runc'\n")
    assert run(directory, **arguments)["changed"]
    assert not run(directory, **arguments)["changed"]
    assert run(directory, **{**arguments, "plain_http_registries": ["127.0.0.1:4567"]})["changed"]


def test_docker_is_preferred(machine: Path, directory: Path) -> None:
    script = machine / "bin/docker"
    script.write_text("#!/bin/sh\ncase $1 in version) echo 28.0;; context) echo unix:///run/docker.sock;; esac\n")
    script.chmod(0o755)
    result = run(directory)
    assert not result["changed"]
    assert (result["engine"], result["socket"]) == ("docker", "unix:///run/docker.sock")


@pytest.mark.parametrize("answer", ["exit 1", "echo", "echo cannot connect >&2; exit 1"])
def test_docker_program_without_a_daemon_does_not_count(machine: Path, directory: Path, answer: str) -> None:
    (machine / "bin/docker").write_text(f"#!/bin/sh\n{answer}\n")
    (machine / "bin/docker").chmod(0o755)
    assert run(directory)["engine"] == "podman"
    with pytest.raises(support.ModuleFailedError, match="The Docker daemon does not answer"):
        run(directory, engine="docker")


def test_missing_packages_are_returned_on_debian(machine: Path, directory: Path) -> None:
    (machine / "bin/apt-get").write_text("#!/bin/sh\n")
    (machine / "bin/apt-get").chmod(0o755)
    for program in ("podman", "netavark"):
        (machine / "bin" / program).unlink()
    result = run(directory)
    assert result["changed"]
    assert result["missing_packages"] == ["podman", "netavark"]
    assert PodmanService(directory).pid() is None


def test_missing_programs_are_named_elsewhere(machine: Path, directory: Path) -> None:
    for program in ("podman", "runc"):
        (machine / "bin" / program).unlink()
    with pytest.raises(support.ModuleFailedError, match=r"Podman lacks podman, runc. Start Docker, or install these"):
        run(directory)


def test_debootstrap_is_not_essential_elsewhere(machine: Path, directory: Path) -> None:
    (machine / "bin/debootstrap").unlink()
    assert run(directory)["engine"] == "podman"


def test_only_root_can_use_podman(machine: Path, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(
        support.ModuleFailedError, match=r"No container engine found: .*Start Docker, or run again as root"
    ):
        run(directory)


def test_service_that_does_not_start_tells_why(machine: Path) -> None:
    directory = machine / "refuse"
    with pytest.raises(support.ModuleFailedError, match=r"did not start: .*\n*no rights for that"):
        run(directory)
    assert not PodmanService(directory).is_there()


def test_too_long_socket_path_is_told(machine: Path) -> None:
    with pytest.raises(support.ModuleFailedError, match="choose a state directory with a shorter path"):
        run(machine / ("long" * 30))
