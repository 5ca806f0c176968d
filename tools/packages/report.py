# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The report for people: a table of packages, and what is known about vulnerabilities."""

from __future__ import annotations

from collections import Counter

from .installed import Package
from .newest import Answer
from .vulnerabilities import Findings

KINDS = {"pypi": "Python", "deb": "Debian"}
STATES = ("behind", "not looked up", "newest")


def state(answer: Answer) -> str:
    """One of ``STATES``."""
    if answer.problem:
        return "not looked up"
    return "behind" if answer.behind else "newest"


def table(images: dict[Package, list[str]], answers: dict[Package, Answer]) -> str:
    """A line for each package, those behind first. Dates are when PyPI got a release, or those of Debian's archive."""
    rows = [("state", "kind", "package", "installed", "of", "newest", "of", "images")]
    order = sorted(images, key=lambda one: (STATES.index(state(answers[one])), one.kind, one.name, one.version))
    for one in order:
        answer = answers[one]
        told = (one.name, one.version, answer.installed_date, answer.newest or "?", answer.newest_date)
        rows.append((state(answer), KINDS[one.kind], *told, ", ".join(images[one])))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join(lines)


def summary(answers: dict[Package, Answer], without_bill: list[str]) -> str:
    """Counts, why something could not be looked up, and what is missing."""
    lines = []
    for kind, name in KINDS.items():
        counts = Counter(state(answer) for package, answer in answers.items() if package.kind == kind)
        if counts:
            lines.append(f"{name} packages: " + ", ".join(f"{counts[each]} {each}" for each in STATES if counts[each]))
    problems = Counter(answer.problem for answer in answers.values() if answer.problem)
    lines += [f"Could not be looked up: {count} packages, {problem}" for problem, count in problems.items()]
    if without_bill:
        names = " and ".join(without_bill)
        lines.append(f"There is no bill of materials of {names} here: only the pinned Python packages are listed.")
    return "\n".join(lines)


def vulnerabilities(images: dict[Package, list[str]], findings: Findings) -> str:
    """What a database knows; that nothing is known is said only of what it was asked about."""
    tried = ", ".join(findings.failures)
    if not findings.database:
        return (
            f"Known vulnerabilities were NOT looked up: no database of them could be reached ({tried}). "
            "This report says nothing about them."
        )
    asked = [package for package in images if package.kind in findings.kinds]
    lines = [f"Known vulnerabilities by {findings.database}: in {len(findings.known)} of {len(asked)} packages."]
    left = len(images) - len(asked)
    if left:
        lines.append(f"NOT looked up: the {left} Debian packages, for which no database could be reached ({tried}).")
    for package, ids in sorted(findings.known.items(), key=lambda item: (item[0].kind, item[0].name)):
        lines.append(f"  {KINDS[package.kind]} {package.name} {package.version}: {', '.join(sorted(set(ids)))}")
    return "\n".join(lines)
