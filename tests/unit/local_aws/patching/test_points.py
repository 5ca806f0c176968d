# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A ministack that is not the one that the patches were written for is refused, in one clear line."""

from __future__ import annotations

import importlib
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import pytest
from sm2a_local_aws.errors import LocalAwsError
from sm2a_local_aws.patching import points as patching

TAMPERED_SERVE = """
import sys
import ministack.services.ecs
ministack.services.ecs._make_deployment = lambda *arguments: None
from sm2a_local_aws.command_line import main
sys.exit(main(["serve", "--control-plane-only", "--port", "0", "--state-directory", sys.argv[1]]))
"""


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> types.ModuleType:
    """An importable module `patched` with `greet(name)` and a dispatch table that holds it."""
    (tmp_path / "patched.py").write_text("def greet(name):\n    return f'hello {name}'\n\nTABLE = {'Greet': greet}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "patched", raising=False)
    monkeypatch.setattr(patching, "registry", [])
    return importlib.import_module("patched")


def declare_twice(fingerprint: str, over: tuple[str, ...]) -> None:
    """Two replacements of `patched:greet`, of two modules; the second one is declared to wrap those of ``over``."""

    def first(original: Callable[[str], str], name: str) -> str:
        return f"1({original(name)})"

    def second(original: Callable[[str], str], name: str) -> str:
        return f"2({original(name)})"

    first.__module__, second.__module__ = "sm2a_local_aws.first", "sm2a_local_aws.second"
    patching.replaces("patched:greet", fingerprint)(first)
    patching.replaces("patched:greet", fingerprint, over)(second)


def test_replacement_gets_the_original_and_reaches_dispatch_tables(module: types.ModuleType) -> None:
    @patching.replaces("patched:greet", patching.fingerprint_of(module.greet))
    def loud(original: types.FunctionType, name: str) -> str:
        return str(original(name)).upper()

    patching.apply_all()
    assert module.greet("you") == "HELLO YOU"
    assert module.TABLE["Greet"]("you") == "HELLO YOU"


def test_later_declarations_wrap_earlier_ones(module: types.ModuleType) -> None:
    fingerprint = patching.fingerprint_of(module.greet)
    declare_twice(fingerprint, over=("first",))
    patching.apply_all()
    assert module.greet("you") == "2(1(hello you))"


def test_second_replacement_that_does_not_name_the_first_is_refused(module: types.ModuleType) -> None:
    declare_twice(patching.fingerprint_of(module.greet), over=())
    with pytest.raises(LocalAwsError, match=r"replaces patched:greet, which .+ replaced before it: name it in `over`"):
        patching.apply_all()
    assert module.greet("you") == "hello you"


def test_tampered_function_is_named_and_nothing_is_replaced(
    module: types.ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    patching.replaces("patched:greet", patching.fingerprint_of(module.greet))(lambda original, name: name)
    monkeypatch.setattr(module, "greet", lambda name: "tampered")
    with pytest.raises(LocalAwsError, match=r"^patched:greet of ministack is not the function that .+ was written for"):
        patching.apply_all()
    assert module.greet("you") == "tampered"


def test_missing_function_is_refused(module: types.ModuleType) -> None:
    patching.relies_on("patched", {"vanished": "0123456789ab"})
    with pytest.raises(LocalAwsError, match=r"patched:vanished .*fingerprint missing"):
        patching.apply_all()


def test_other_version_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patching, "MINISTACK_VERSION", "0.0.1")
    with pytest.raises(LocalAwsError, match=r"is installed but the local AWS is written for 0\.0\.1: run `uv sync`"):
        patching.verify([])


def test_every_patch_point_of_both_modes_is_known() -> None:
    listing = subprocess.run(
        [sys.executable, "-m", "sm2a_local_aws.patching.fingerprints"], capture_output=True, text=True, check=False
    )
    assert listing.returncode == 0, listing.stdout
    points = listing.stdout.splitlines()
    assert len(points) > 60
    assert all(line.startswith("ok ") for line in points)


def test_serve_ends_with_one_line_when_ministack_was_changed(tmp_path: Path) -> None:
    served = subprocess.run(
        [sys.executable, "-c", TAMPERED_SERVE, str(tmp_path)], capture_output=True, text=True, timeout=60, check=False
    )
    assert served.returncode == 1
    (line,) = served.stderr.strip().splitlines()
    assert line.startswith("local AWS: ministack.services.ecs:_make_deployment of ministack is not the function")
    assert "uv sync --reinstall-package ministack" in line
