# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Measure a first deployment of site.yml with the waiting times of AWS; exit 1 when it misses its goal.

The local AWS takes as long as AWS (``waits``) and refuses what AWS refuses meanwhile; so does a stand-in of the
container engine. Nothing is extrapolated: by default the waits have their real size, so that the run takes some
20 minutes, of which it sleeps nearly all. What SM2A's modules add by looking only every few seconds is then part of
the result as it is on AWS, and Ansible's own work weighs as much as it does there. With a ``--time-scale`` below 1 both
weigh too much: that is for a quick look, and no goal is judged. A run with no waits at all tells how long Ansible's own
work takes.

Not emulated: the time that AWS takes to answer a call, of which a run has some 550 (the local AWS takes milliseconds),
and IAM roles that are not known everywhere in their first seconds.

usage: python -m tests.benchmarks.converge.first_deployment [--time-scale N] [--json FILE] [--plot FILE] [--page FILE]
                                                            [--from FILE]
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.pages import insert, table

from . import slow_engine
from .measure import TOOLS, Cost, cost
from .waits import STEPS, TIMES, critical_path, earliest_ends, seconds

# Wall clock, times the critical path.
MOST = 1.10
MARK = "make bench-first-deployment"
ZONE = "example.com"


@dataclass(frozen=True)
class Wait:
    """One wait of the run: which step it belongs to, and when, in seconds from the beginning of the run."""

    step: str
    began: float
    ended: float


@dataclass(frozen=True)
class Result:
    """One first deployment. ``own`` is the same run without waits, ``load`` the machine's load average before it."""

    time_scale: float
    wall: float
    own: float
    load: float
    waits: list[Wait]

    @property
    def times(self) -> dict[str, float]:
        """Seconds by kind, as they were."""
        return {kind: each * self.time_scale for kind, each in seconds().items()}

    @property
    def critical(self) -> float:
        """Seconds of the critical path."""
        return critical_path(STEPS, self.times)[0]

    @property
    def ratio(self) -> float:
        """Wall clock, times the critical path."""
        return self.wall / self.critical

    def span(self, step: str) -> tuple[float, float]:
        """When the first wait of a step began and the last one ended."""
        own = [wait for wait in self.waits if wait.step == step]
        return min(wait.began for wait in own), max(wait.ended for wait in own)


def step_of(kind: str, identifier: str) -> str:
    """The step that a wait of the run belongs to; tasks are told by their task definition."""
    if kind in ("task_start", "one_off_task", "service_healthy"):
        part = identifier.removeprefix(f"{runs.NAME}-")
        whose = part if part in ("migrate", "autoscaler") else "service"
        names = {
            "migrate": ("migration_start", "migration"),
            "autoscaler": ("autoscaler_start", "autoscaler"),
            "service": ("services_start", "services"),
        }
        return names[whose][kind != "task_start"]
    return next(name for name, step in STEPS.items() if step.kind == kind)


def read_waits(files: Sequence[Path], started: float) -> list[Wait]:
    """What the local AWS and the engine wrote down, in the order in which it began."""
    lines = [json.loads(line) for file in files if file.exists() for line in file.read_text("utf-8").splitlines()]
    waits = [
        Wait(step_of(one["what"], one["identifier"]), one["began"] - started, one["began"] - started + one["seconds"])
        for one in lines
        # Roles that AWS makes for its services are there after the first environment of an account.
        if one["what"] != "service_linked_role"
    ]
    return sorted(waits, key=lambda wait: wait.began)


def problems(result: Result) -> list[str]:
    """Steps that did not happen, or began before what they need was ready: then the run would fail on AWS."""
    missing = set(STEPS) - {wait.step for wait in result.waits}
    if missing:
        return [f"nothing waited for: {', '.join(sorted(missing))}"]
    return [
        f"{step.title} began before this was ready: {STEPS[other].title}"
        for name, step in STEPS.items()
        for other in step.after
        # A timer of the local AWS ends some hundredths of a second late.
        if result.span(name)[0] < result.span(other)[1] - 0.5
    ]


def variables(directory: Path, endpoint: str) -> dict[str, Any]:
    """A first deployment as on AWS: the images are built, the certificate is requested from Amazon."""
    return {
        "sm2a_endpoint_url": endpoint,
        "images_airflow_image": "",
        "images_autoscaler_image": "",
        "images_engine": "docker",
        "images_base_source": "registry",
        "images_registry_endpoint": endpoint.removeprefix("http://"),
        "images_minimum_free_gib": 0.1,
        "images_log_directory": str(directory / "images"),
        "images_sbom_directory": str(directory / "sbom"),
        "load_balancer_certificate_source": "request",
        "load_balancer_hosted_zone_name": ZONE,
    }


def deploy(directory: Path, times: Mapping[str, float], scale: float) -> tuple[Cost, list[Wait]]:
    """Deploy into an empty account; returns what it cost, and what it waited for."""
    directory.mkdir()
    file = directory / "times.json"
    file.write_text(json.dumps(times), encoding="utf-8")
    engine = directory / "engine"
    tools = slow_engine.install(engine, {kind: each * scale for kind, each in times.items()})
    with runs.control_plane(directory, "--waiting-times", str(file), "--time-scale", str(scale)) as aws:
        aws.client("route53").create_hosted_zone(Name=ZONE, CallerReference="first-deployment")
        extra = directory / "variables.json"
        extra.write_text(json.dumps(variables(directory, aws.endpoint)), encoding="utf-8")
        inventory = runs.HERE / "inventory.yml"
        playbook = [TOOLS / "ansible-playbook", "-i", inventory, "playbooks/site.yml", "-e", f"@{extra}"]
        environment = runs.playbook_environment(directory / "results.jsonl")
        environment["PATH"] = f"{tools}{os.pathsep}{environment['PATH']}"
        started = time.time()
        spent = cost([str(part) for part in playbook], environment, directory / "log")
        files = [directory / "aws/waits.jsonl", slow_engine.waits_file(engine)]
        return spent, read_waits(files, started)


def measure(directory: Path, scale: float) -> Result:
    """Both runs."""
    load = os.getloadavg()[0]
    own, _none = deploy(directory / "without", seconds(), 0.0)
    print(f"without waits: {own.wall:.0f} s", file=sys.stderr, flush=True)
    spent, waits = deploy(directory / "with", seconds(), scale)
    print(f"with waits: {spent.wall:.0f} s", file=sys.stderr, flush=True)
    return Result(scale, spent.wall, own.wall, load, waits)


def times_table() -> str:
    """The waiting times and where they are from."""
    rows = [
        (
            one.title,
            f"{one.seconds:.0f}",
            one.why,
            ", ".join(f"<{url}>" for url in one.sources) or "here",
        )
        for one in TIMES.values()
    ]
    head = ("what", "seconds", "measured", "source")
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ("---", "---:", "---", "---"), *rows))


def steps_table(result: Result) -> str:
    """A line for each step: when it began, when it was over, and when it could have been."""
    best = earliest_ends(STEPS, result.times)
    path = critical_path(STEPS, result.times)[1]
    rows = []
    for name, step in sorted(STEPS.items(), key=lambda item: result.span(item[0])):
        began, ended = result.span(name)
        needs = ", ".join(STEPS[other].title for other in (*step.after, *step.not_before))
        mark = "yes" if name in path else ""
        rows.append((step.title, needs, mark, f"{began:.0f}", f"{ended:.0f}", f"{best[name]:.0f}"))
    return table(("step", "needs", "critical", "began s", "over s", "at best s"), rows, texts=3)


def goal_table(result: Result) -> str:
    """The goal and what the run is made of."""
    added = result.wall - result.critical
    rows = [
        ("critical path", f"{result.critical:.0f} s"),
        ("first deployment, wall clock", f"{result.wall:.0f} s"),
        ("of it beyond the critical path", f"{added:.0f} s"),
        ("the same run without waits (Ansible's own work)", f"{result.own:.0f} s"),
        ("wall clock, times the critical path", f"{result.ratio:.2f}, at most {MOST:.2f}: {verdict(result)}"),
        ("the same if AWS took half as long for everything", f"{1 + added / (result.critical / 2):.2f}"),
        ("load average of the machine before", f"{result.load:.1f}"),
    ]
    return table(("a first deployment", "value"), rows)


def verdict(result: Result) -> str:
    """Whether the goal is met; only with waits of real size."""
    if result.time_scale != 1:
        return "not judged, waits are scaled"
    return "met" if result.ratio <= MOST else "MISSED"


def report(result: Result) -> str:
    """All tables."""
    return "\n\n".join([goal_table(result), steps_table(result), times_table()])


def write(path: Path, result: Result) -> None:
    """All figures as JSON."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(result), indent=2) + "\n", encoding="utf-8")


def read(path: Path) -> Result:
    """What ``write`` wrote."""
    held = json.loads(path.read_text(encoding="utf-8"))
    return Result(**{**held, "waits": [Wait(**wait) for wait in held["waits"]]})


def main() -> int:
    """See the module."""
    parser = argparse.ArgumentParser(prog="first_deployment", description=__doc__)
    parser.add_argument("--time-scale", type=float, default=1.0, help="multiplies the waits")
    parser.add_argument("--json", type=Path, default=runs.ARTIFACTS / "first_deployment.json", help="file for figures")
    parser.add_argument("--plot", type=Path, help="SVG file to write")
    parser.add_argument("--page", type=Path, help="Markdown file whose tables are brought up to date")
    parser.add_argument("--from", dest="figures", type=Path, help="figures of an earlier run, instead of a new one")
    options = parser.parse_args()
    if options.figures:
        result = read(options.figures)
    else:
        result = measure(Path(tempfile.mkdtemp(prefix="first-deployment-")), options.time_scale)
        write(options.json, result)
    if wrong := problems(result):
        print("\n".join(wrong), file=sys.stderr)
        return 1
    text = report(result)
    print(text)
    if options.page:
        insert(options.page, MARK, text)
    if options.plot:
        from .first_deployment_plot import draw  # noqa: PLC0415 (matplotlib is only needed here)

        draw(options.plot, result)
    return 1 if verdict(result) == "MISSED" else 0


if __name__ == "__main__":
    sys.exit(main())
