# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Patch points: the MiniStack functions that we replace or build on, each with the fingerprint that we wrote against.

A replacement is declared where it is written:

    @replaces("ministack.services.ecs:_stop_task", "0123456789ab")
    def stop_task(original, data): ...

and a function that our code calls, so must keep its meaning:

    relies_on("ministack.services.ecs", {"_iso": "0123456789ab"})

A replacement that wraps another one names it, so that nobody has to find out in which order two of them act:

    @replaces("ministack.services.ecs:_stop_task", "0123456789ab", over=("fargate.stop",))

`apply_all` verifies all of this before it replaces anything. `python -m sm2a_local_aws.patching.fingerprints` prints
every patch point.
"""

from __future__ import annotations

import functools
import hashlib
import importlib
import importlib.metadata
import inspect
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeVar

from sm2a_local_aws.errors import LocalAwsError

MINISTACK_VERSION = "1.5.33"

Replacement = TypeVar("Replacement", bound=Callable[..., Any])


@dataclass(frozen=True)
class PatchPoint:
    """`target` is "module:function"; without a replacement it is only verified. `declared_in` is our module's name.

    `over` are our modules whose replacements of the same function this one wraps, as far as they are loaded.
    """

    target: str
    fingerprint: str
    declared_in: str
    replacement: Callable[..., Any] | None = None
    over: tuple[str, ...] = ()

    @property
    def module(self) -> Any:
        return importlib.import_module(self.target.partition(":")[0])

    @property
    def function_name(self) -> str:
        return self.target.partition(":")[2]


registry: list[PatchPoint] = []


def replaces(target: str, fingerprint: str, over: Iterable[str] = ()) -> Callable[[Replacement], Replacement]:
    """Declare that the decorated function takes the target's place; it gets the original as its first argument.

    `over` names our modules that replace the same function before, without "sm2a_local_aws.".
    """

    def declare(replacement: Replacement) -> Replacement:
        wrapped = tuple(f"sm2a_local_aws.{module}" for module in over)
        registry.append(PatchPoint(target, fingerprint, replacement.__module__, replacement, wrapped))
        return replacement

    return declare


def relies_on(module: str, fingerprints: dict[str, str]) -> None:
    """Declare functions that the caller's module calls but does not replace: {name: fingerprint}."""
    declared_in = sys._getframe(1).f_globals["__name__"]
    registry.extend(PatchPoint(f"{module}:{name}", found, declared_in) for name, found in fingerprints.items())


def fingerprint_of(function: Any) -> str:
    """Twelve hexadecimal digits of the function's source text; "missing" when there is no such source."""
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        return "missing"
    return hashlib.sha256(source.encode()).hexdigest()[:12]


def verify(points: Iterable[PatchPoint]) -> None:
    """Raise LocalAwsError, naming the first function that is not the one that its patch was written for."""
    installed = importlib.metadata.version("ministack")
    if installed != MINISTACK_VERSION:
        raise LocalAwsError(
            f"ministack {installed} is installed but the local AWS is written for {MINISTACK_VERSION}: run `uv sync`"
        )
    for point in points:
        found = fingerprint_of(getattr(point.module, point.function_name, None))
        if found != point.fingerprint:
            raise LocalAwsError(
                f"{point.target} of ministack is not the function that {point.declared_in} was written for "
                f"(fingerprint {found}, expected {point.fingerprint}): reinstall ministack {MINISTACK_VERSION} with "
                f"`uv sync --reinstall-package ministack`, or compare the function and adapt the patch"
            )


def verify_order(points: Iterable[PatchPoint]) -> None:
    """Raise LocalAwsError when a function is replaced twice and the later replacement does not name the earlier one."""
    wrapped: dict[str, list[str]] = {}
    for point in points:
        if point.replacement is None:
            continue
        below = wrapped.setdefault(point.target, [])
        unnamed = [module for module in below if module not in point.over]
        if unnamed:
            raise LocalAwsError(
                f"{point.declared_in} replaces {point.target}, which {', '.join(unnamed)} replaced before it: "
                f"name it in `over`, or change the order (sm2a_local_aws.patching.order)"
            )
        below.append(point.declared_in)


def apply_all() -> None:
    """Verify every declared patch point, then put the replacements in place, in the order of their declaration."""
    verify(registry)
    verify_order(registry)
    for point in registry:
        if point.replacement is not None:
            _apply(point)


def _apply(point: PatchPoint) -> None:
    assert point.replacement is not None  # noqa: S101
    module, name = point.module, point.function_name
    original = getattr(module, name)
    replacement = functools.partial(point.replacement, original)
    setattr(module, name, replacement)
    # Dispatch tables (`_ACTION_MAP` and the like) hold the function itself.
    for table in [value for value in vars(module).values() if isinstance(value, dict)]:
        for key in [key for key, value in table.items() if value is original]:
            table[key] = replacement
