# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes a Debian base image with debootstrap, like the ``-slim`` images of Docker's library, where no registry is."""

# run_command of a module has no pipelines.
# pylint: disable=ansible-bad-function

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from ansible_collections.sm2a.airflow.plugins.module_utils.containers.apt_sources import DEFAULT_MIRROR, Mirrors
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import (
    Engine,
    EngineError,
    run_logged,
    system_environment,
    which,
)

# On a disk; /tmp may be memory, or forbid device files.
WORK_DIRECTORY = Path("/var", "tmp")
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# Files that no container reads. dpkg leaves them out of what is installed later, too.
UNREAD = ("usr/share/doc", "usr/share/info", "usr/share/locale", "usr/share/man", "usr/share/lintian")
DPKG_EXCLUDES = "".join(f"path-exclude /{path}/*\n" for path in UNREAD) + "path-include /usr/share/doc/*/copyright\n"
APT_SETTINGS = 'APT::Keep-Downloaded-Packages "false";\nAcquire::Languages "none";\n'
# Package scripts must not start services inside a container.
POLICY = "#!/bin/sh\nexit 101\n"
# The image carries this label, and none that was pulled does.
MADE_HERE = ("io.sm2a.base-image", "debootstrap")


def make_image(engine: Engine, name: str, suite: str, mirrors: Mirrors, log: Path) -> None:
    """Bootstrap ``suite`` and import it as image ``name``; EngineError says what is missing or what failed."""
    if os.geteuid() != 0:
        raise EngineError(
            f"Making {name} with debootstrap needs root; run as root, or give the engine access to a registry."
        )
    if which("debootstrap") is None:
        raise EngineError(
            f"Making {name} needs debootstrap; install it (Debian and Ubuntu: apt-get install debootstrap "
            "debian-archive-keyring), or give the engine access to a registry."
        )
    if not Path(KEYRING).is_file():
        raise EngineError(
            f"Making {name} needs Debian's keys to verify its downloads, and {KEYRING} does not exist; install it "
            "(Debian and Ubuntu: apt-get install debian-archive-keyring), or give the engine access to a registry."
        )
    with tempfile.TemporaryDirectory(prefix="sm2a-debootstrap-", dir=WORK_DIRECTORY) as directory:
        root = Path(directory) / "root"
        run_logged(
            f"Making {name} with debootstrap from {mirrors.archive}",
            # Without a keyring debootstrap would go on with a warning.
            [
                "debootstrap",
                "--force-check-gpg",
                f"--keyring={KEYRING}",
                "--variant=minbase",
                suite,
                str(root),
                mirrors.archive,
            ],
            log,
            hint="Check that the mirror is reachable and carries the suite.",
        )
        slim_down(root)
        configure(root, suite, mirrors)
        import_image(engine, name, root)


def slim_down(root: Path) -> None:
    """Remove documentation (copyrights stay), translations, package lists and downloaded packages."""
    for path in (root / unread for unread in UNREAD):
        for file in [found for found in path.rglob("*") if not found.is_dir() or found.is_symlink()]:
            if file.name != "copyright":
                file.unlink()
        for folder in sorted((found for found in path.rglob("*") if found.is_dir()), reverse=True):
            if not any(folder.iterdir()):
                folder.rmdir()
    for emptied in ("var/cache/apt", "var/lib/apt/lists", "var/log"):
        shutil.rmtree(root / emptied, ignore_errors=True)
        (root / emptied).mkdir()


def configure(root: Path, suite: str, mirrors: Mirrors) -> None:
    """Write the package sources, and the settings that suit a container."""
    (root / "etc/apt/sources.list").unlink(missing_ok=True)
    (root / "etc/apt/sources.list.d/debian.sources").write_text(package_sources(suite, mirrors), encoding="utf-8")
    (root / "etc/apt/apt.conf.d/container").write_text(APT_SETTINGS, encoding="utf-8")
    (root / "etc/dpkg/dpkg.cfg.d/container").write_text(DPKG_EXCLUDES, encoding="utf-8")
    policy = root / "usr/sbin/policy-rc.d"
    policy.write_text(POLICY, encoding="utf-8")
    policy.chmod(0o755)
    for path in ("etc/hostname", "etc/resolv.conf"):
        (root / path).unlink(missing_ok=True)


def package_sources(suite: str, mirrors: Mirrors) -> str:
    """The deb822 text for inside the image; a ``file:`` mirror is not there, so Debian's own takes its place."""
    if mirrors.archive.startswith("file:"):
        mirrors = Mirrors(DEFAULT_MIRROR)
    stanzas = [(mirrors.archive, f"{suite} {suite}-updates" if mirrors.has_updates else suite)]
    if mirrors.security:
        stanzas.append((mirrors.security, f"{suite}-security"))
    return "\n".join(
        f"Types: deb\nURIs: {uri}\nSuites: {suites}\nComponents: main\nSigned-By: {KEYRING}\n"
        for uri, suites in stanzas
    )


def import_image(engine: Engine, name: str, root: Path) -> None:
    """Turn the directory into the image ``name``."""
    changes = ["--change", 'CMD ["bash"]', "--change", f"LABEL {'='.join(MADE_HERE)}"]
    with subprocess.Popen(
        ["tar", "--numeric-owner", "--one-file-system", "-C", str(root), "-c", "."], stdout=subprocess.PIPE
    ) as archive:
        result = subprocess.run(
            [engine.kind, "import", *changes, "-", name],
            env=system_environment(engine.environment),
            stdin=archive.stdout,
            capture_output=True,
            text=True,
            check=False,
        )
    if result.returncode or archive.returncode:
        raise EngineError(f"Importing {name} failed: {result.stderr.strip() or 'tar failed'}")
