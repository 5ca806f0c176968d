# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""container_base_image with a stand-in engine and a stand-in debootstrap."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.containers import base_image, debian_rootfs
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.apt_sources import Mirrors
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.unit.plugins import fake_engine

BASE = base_image.DEFAULT_NAME
MADE_HERE = "localhost/sm2a/debian:trixie"
# Makes of its last argument but one what the real one does, as far as it matters here.
DEBOOTSTRAP = """#!/bin/bash
echo "I: Retrieving $*"
case "$*" in *broken*) echo "E: Failed getting release file"; exit 1;; esac
root=${@: -2:1}
for path in etc/apt/sources.list.d etc/apt/apt.conf.d etc/dpkg/dpkg.cfg.d usr/sbin usr/share/doc/bash \
    usr/share/man/man1 var/cache/apt/archives var/lib/apt/lists var/log; do /bin/mkdir -p "$root/$path"; done
for file in etc/apt/sources.list usr/share/doc/bash/copyright usr/share/doc/bash/changelog usr/share/man/man1/bash.1 \
    var/cache/apt/archives/bash.deb; do echo x > "$root/$file"; done
"""


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> fake_engine.FakeEngine:
    engine = fake_engine.install(tmp_path, monkeypatch, "podman")
    debootstrap = tmp_path / "bin/debootstrap"
    debootstrap.write_text(DEBOOTSTRAP)
    debootstrap.chmod(0o755)
    monkeypatch.setattr(debian_rootfs, "WORK_DIRECTORY", tmp_path)
    (tmp_path / "keyring.gpg").touch()
    monkeypatch.setattr(debian_rootfs, "KEYRING", str(tmp_path / "keyring.gpg"))
    monkeypatch.setattr("os.geteuid", lambda: 0)
    monkeypatch.setattr(base_image, "registry_answers", lambda _host: False)
    return engine


@pytest.fixture
def arguments(tmp_path: Path) -> dict[str, Any]:
    return {"log_path": str(tmp_path / "logs/base_image.log"), "minimum_free_gib": 0}


def run(arguments: dict[str, Any], check: bool = False, **more: Any) -> support.Result:
    return support.run("container_base_image", {**arguments, **more}, check=check)


def test_check_apply_check_apply(podman: fake_engine.FakeEngine, arguments: dict[str, Any]) -> None:
    predicted = run(arguments, check=True)
    assert predicted["changed"]
    assert podman.images == {}
    made = run(arguments)
    assert made["changed"]
    assert (made["source"], made["engine"], made["image_id"]) == ("debootstrap", "podman", "1" * 64)
    assert made["name"] == MADE_HERE
    support.assert_diff(made)
    for check in (True, False):
        repeated = run(arguments, check=check)
        assert not repeated["changed"]
        assert (repeated["source"], repeated["name"]) == ("engine", MADE_HERE)
    assert len(podman.calls_of("import")) == 1


def test_registry_is_used_when_it_answers(
    podman: fake_engine.FakeEngine, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_image, "registry_answers", lambda host: host == "registry-1.docker.io")
    made = run(arguments)
    assert (made["source"], made["name"]) == ("registry", BASE)
    assert podman.calls_of("pull") == [["pull", BASE]]
    # The local AWS knows it by this name.
    assert podman.calls_of("tag") == [["tag", BASE, MADE_HERE]]
    assert run(arguments)["name"] == BASE


@pytest.mark.parametrize("source", ["auto", "registry"])
def test_a_tag_of_a_registry_is_refused(
    podman: fake_engine.FakeEngine, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch, source: str
) -> None:
    monkeypatch.setattr(base_image, "registry_answers", lambda _host: True)
    for name in ("docker.io/library/debian:trixie-slim", "debian", f"debian@sha256:{'0' * 63}", "debian@sha512:0"):
        with pytest.raises(support.ModuleFailedError, match="must be given by digest"):
            run(arguments, name=name, source=source)
    assert podman.calls == []


def test_another_digest_is_another_image(
    podman: fake_engine.FakeEngine, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(base_image, "registry_answers", lambda _host: True)
    run(arguments)
    newer = f"docker.io/library/debian@sha256:{'5' * 64}"
    assert run(arguments, name=newer)["changed"], "an image of an earlier digest is not taken for it"
    assert podman.calls_of("pull") == [["pull", BASE], ["pull", newer]]


def test_packages_are_verified(
    podman: fake_engine.FakeEngine, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    run(arguments, source="debootstrap")
    options = Path(arguments["log_path"]).read_text().split()
    assert "--force-check-gpg" in options
    assert f"--keyring={debian_rootfs.KEYRING}" in options
    monkeypatch.setattr(debian_rootfs, "KEYRING", str(tmp_path / "missing.gpg"))
    with pytest.raises(support.ModuleFailedError, match="needs Debian's keys to verify its downloads"):
        run(arguments, source="debootstrap", suite="forky")


def test_given_mirror_is_used_and_its_output_logged(podman: fake_engine.FakeEngine, arguments: dict[str, Any]) -> None:
    run(arguments, source="debootstrap", mirror="http://mirror.example.com/debian/", suite="forky")
    log = Path(arguments["log_path"]).read_text()
    assert "--variant=minbase forky" in log
    assert log.strip().endswith(" http://mirror.example.com/debian")


def test_failed_debootstrap_is_told_with_its_last_lines(
    podman: fake_engine.FakeEngine, arguments: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(support.ModuleFailedError) as failure:
        run(arguments, mirror="http://broken.example.com/debian")
    message = failure.value.result["msg"]
    assert "from http://broken.example.com/debian failed (exit code 1). Check that the mirror is reachable" in message
    assert "E: Failed getting release file" in message
    assert list(tmp_path.glob("sm2a-debootstrap-*")) == []


def test_only_root_can_debootstrap(
    podman: fake_engine.FakeEngine, arguments: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("os.geteuid", lambda: 1000)
    with pytest.raises(
        support.ModuleFailedError, match="needs root; run as root, or give the engine access to a registry"
    ):
        run(arguments)


def test_missing_debootstrap(podman: fake_engine.FakeEngine, arguments: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "bin/debootstrap").unlink()
    with pytest.raises(support.ModuleFailedError, match="needs debootstrap; install it"):
        run(arguments)


def test_too_little_disk_space(podman: fake_engine.FakeEngine, arguments: dict[str, Any]) -> None:
    with pytest.raises(support.ModuleFailedError, match=r"Getting docker.io.* needs 1e\+06 GiB of free disk space"):
        run(arguments, minimum_free_gib=1_000_000)
    assert podman.images == {}


def test_root_is_slim_and_configured(tmp_path: Path, podman: fake_engine.FakeEngine) -> None:
    root = tmp_path / "root"
    for path in ("usr/share/doc/bash/copyright", "usr/share/doc/gone/changelog", "usr/share/man/man1/bash.1"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text("x")
    (root / "var/cache/apt/archives").mkdir(parents=True)
    (root / "var/cache/apt/archives/bash.deb").write_text("x")
    (root / "var/lib/apt").mkdir(parents=True)
    debian_rootfs.slim_down(root)
    files = sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())
    assert files == ["usr/share/doc/bash/copyright"]
    assert not (root / "usr/share/doc/gone").exists()


def test_package_sources() -> None:
    text = debian_rootfs.package_sources(
        "trixie", Mirrors("http://m.example.com/debian", "http://m.example.com/sec", True)
    )
    assert "URIs: http://m.example.com/debian\nSuites: trixie trixie-updates\n" in text
    assert "URIs: http://m.example.com/sec\nSuites: trixie-security\n" in text
    bare = debian_rootfs.package_sources("trixie", Mirrors("http://m.example.com/debian", "", False))
    assert "Suites: trixie\n" in bare
    assert "security" not in bare


def test_mirror_of_files_is_not_written_into_the_image() -> None:
    assert "URIs: http://deb.debian.org/debian\n" in debian_rootfs.package_sources(
        "trixie", Mirrors("file:/srv/debian")
    )


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("debian:trixie-slim", "registry-1.docker.io"),
        (BASE, "registry-1.docker.io"),
        ("library/debian", "registry-1.docker.io"),
        ("registry.example.com/debian:1", "registry.example.com"),
        ("localhost:5000/debian", "localhost:5000"),
    ],
)
def test_registry_of_an_image(name: str, host: str) -> None:
    assert base_image.registry_of(name) == host
