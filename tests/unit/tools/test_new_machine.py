# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""tools/new_machine keeps away what a person installed or set, and CI runs in it."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

PROGRAM = PROJECT / "tools/new_machine"


def environment(**outside: str) -> dict[str, str]:
    """What a command sees when ``outside`` is the environment of the person who starts it."""
    done = subprocess.run([PROGRAM, "/usr/bin/env", "-0"], env=outside, check=True, capture_output=True, text=True)
    return dict(line.split("=", 1) for line in done.stdout.split("\0") if line)


def test_nothing_of_the_person_is_left() -> None:
    seen = environment(
        PATH="/opt/tools/bin:/usr/local/bin:/usr/bin:/bin", HOME="/nowhere", PYTHONPATH="/mine", UV="/my/uv"
    )
    assert seen.keys() == {"HOME", "PATH", "LANG"}
    assert seen["PATH"] == "/usr/sbin:/usr/bin:/sbin:/bin"
    assert seen["HOME"] != "/nowhere"
    assert not Path(seen["HOME"]).exists(), "the home is removed when the command has ended"


def test_indexes_proxies_and_certificates_are_passed_on() -> None:
    settings = {
        "PIP_INDEX_URL": "https://pypi.example.com/simple?a=b c",
        "HTTPS_PROXY": "http://proxy.example.com:3128",
        "no_proxy": "localhost,10.0.0.0/8",
        "SSL_CERT_FILE": "/etc/ssl/certs/company file.pem",
    }
    seen = environment(PATH="/usr/bin:/bin", **settings)
    assert {name: seen[name] for name in settings} == settings


def test_exit_code_is_that_of_the_command() -> None:
    assert subprocess.run([PROGRAM, "sh", "-c", "exit 7"], check=False).returncode == 7


def test_ci_runs_the_command_of_the_readme_on_a_new_machine() -> None:
    assert "exec tools/new_machine make test" in (PROJECT / ".ci/run").read_text(encoding="utf-8").splitlines()
