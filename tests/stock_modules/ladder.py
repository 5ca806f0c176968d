# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Climbs one ladder with every stock module, by playbooks, and says what went wrong on which rung.

A playbook has the next rungs of all modules, because starting one costs as much as several of their tasks.
"""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.common import error_advice
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import FaultProxy, fault_proxy
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT

FORKED = "sm2a.testing.forked_stock_modules"
Options = dict[str, Any]
# By module and rung: "" or what is wrong.
Symptoms = dict[tuple[str, str], str]
RUNGS = (
    "fresh check",
    "apply",
    "check again",
    "apply again",
    "diff",
    "drift check",
    "drift apply",
    "absent check",
    "absent",
    "absent again",
    "lost create",
    "lost delete",
    "throttling",
    "options",
)
# Of a module that only reads. The first task of a run is one: it finds out about wrong credentials.
INFO_RUNGS = ("fresh check", "apply", "throttling", "refusal")
THROTTLED_SHARE = 0.3
# Throttled tasks mostly sleep.
PLAYBOOKS_AT_ONCE = 3
SECONDS = 300


@dataclass(frozen=True)
class Case:
    """One stock module, with the options that a role of ours would give it.

    ``read`` returns what there is of the resource: an empty list before and after. ``absent`` makes the options that
    remove it. On a fresh account ``fresh`` is in the place of some options, such as ids that only check mode has.
    ``create`` and ``delete`` are the calls whose replies get lost. ``options`` are lists of runs: one that equals the
    one before it must change nothing, every other must change something.
    """

    module: str
    present: Options = field(default_factory=dict)
    absent: Callable[[], Options] = dict
    read: Callable[[], list[Any]] = list
    drift: Callable[[], Any] = lambda: None
    fresh: Options = field(default_factory=dict)
    create: str = ""
    delete: str = ""
    options: Sequence[Sequence[Options]] = ()
    info: bool = False

    @property
    def rungs(self) -> tuple[str, ...]:
        """Those that it climbs."""
        if self.info:
            return INFO_RUNGS
        return RUNGS if self.options else RUNGS[:-1]


# Makes what the modules need in an account, and the cases with names of their own.
MakeCases = Callable[[runs.ControlPlane, str], list[Case]]


@dataclass(frozen=True)
class Step:
    """One task: a module, its options, and the rung that it is."""

    module: str
    rung: str
    options: Options
    check: bool = False
    endpoint: str = ""

    @property
    def name(self) -> str:
        return f"{self.module}: {self.rung}"

    def task(self) -> dict[str, Any]:
        """As a task of a playbook that goes on whatever happens."""
        address = {"endpoint_url": self.endpoint} if self.endpoint else {}
        action = {f"amazon.aws.{self.module}": {**self.options, **address}}
        return {"name": self.name, **action, "check_mode": self.check, "ignore_errors": True}


@dataclass(frozen=True)
class Answer:
    """How a task ended. Tasks that are skipped are not recorded."""

    status: str = "skipped"
    message: str = ""
    diff: Any = None

    def unlike(self, *wanted: str) -> str:
        """Nothing when it ended as wanted (ok, changed), else what it did."""
        if self.status == "ignored":
            return f"fails: {self.message}"
        return "" if self.status in wanted else self.status

    @property
    def shows(self) -> bool:
        """Whether its diff tells of a change."""
        pairs = self.diff if isinstance(self.diff, list) else [self.diff] if self.diff else []
        return any(pair.get("before") != pair.get("after") for pair in pairs)


def first(symptoms: Iterable[str]) -> str:
    """The first that there is."""
    return next(filter(None, symptoms), "")


class Climb:
    """Plays steps against one local AWS and keeps their answers."""

    def __init__(self, aws: runs.ControlPlane, make_cases: MakeCases) -> None:
        self.aws = aws
        self.make_cases = make_cases
        self.answers: dict[str, Answer] = {}
        self.symptoms: Symptoms = {}
        self.serial = itertools.count(1)

    def climb(self) -> Symptoms:
        """All rungs of all modules."""
        slow = self.make_cases(self.aws, "slow")
        with ThreadPoolExecutor(PLAYBOOKS_AT_ONCE) as pool:
            throttled = [
                pool.submit(self.throttle, slow[start :: PLAYBOOKS_AT_ONCE - 1])
                for start in range(PLAYBOOKS_AT_ONCE - 1)
            ]
            self.live(self.make_cases(self.aws, "life"))
            self.refuse([case for case in slow if case.info])
            self.lose_replies([case for case in self.make_cases(self.aws, "lost") if not case.info])
            self.try_options(self.make_cases(self.aws, "odd"))
            for each in throttled:
                each.result()
        return self.symptoms

    def play(self, steps: Sequence[Step]) -> None:
        """Run the steps in one playbook."""
        base = self.aws.directory / f"stock-{next(self.serial):02}"
        results, playbook = base.with_suffix(".jsonl"), base.with_suffix(".yml")
        results.touch()
        play = {
            "hosts": "localhost",
            "gather_facts": False,
            # As site.yml gives them to the modules of a role.
            "module_defaults": {"group/sm2a.airflow.aws": {"region": runs.REGION, "endpoint_url": self.aws.endpoint}},
            "environment": {
                "AWS_ACCESS_KEY_ID": runs.ACCESS_KEY,
                "AWS_SECRET_ACCESS_KEY": runs.SECRET_KEY,
                "AWS_EC2_METADATA_DISABLED": "true",
                # For route53, whose option region is the record's.
                "AWS_DEFAULT_REGION": runs.REGION,
            },
            "tasks": [step.task() for step in steps],
        }
        playbook.write_text(json.dumps([play]), encoding="utf-8")
        environment = runs.playbook_environment(results)
        command = [str(Path(sys.executable).parent / "ansible-playbook"), "-i", "localhost,", "-c", "local", "--diff"]
        ran = subprocess.run(
            [*command, "-e", "ansible_python_interpreter={{ ansible_playbook_python }}", str(playbook)],
            cwd=PROJECT,
            env={
                **environment,
                "ANSIBLE_CALLBACKS_ENABLED": f"{environment['ANSIBLE_CALLBACKS_ENABLED']},{FORKED}",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=SECONDS,
        )
        base.with_suffix(".log").write_text(ran.stdout + ran.stderr, encoding="utf-8")
        if ran.returncode:
            raise RuntimeError(ran.stdout[-3000:] + ran.stderr)
        for line in results.read_text(encoding="utf-8").splitlines():
            said = json.loads(line)
            self.answers[said["task"]] = Answer(said["status"], str(said.get("msg", "")), said.get("diff"))

    def answer(self, case: Case, rung: str) -> Answer:
        """How the task of a rung ended."""
        return self.answers.get(f"{case.module}: {rung}", Answer())

    def tell(self, case: Case, rung: str, *symptoms: str) -> None:
        """Keep the first symptom that there is."""
        self.symptoms[case.module, rung] = first(symptoms)

    def live(self, cases: Sequence[Case]) -> None:
        """Check, apply, check, apply; drift; absent, absent."""
        self.make(cases)
        resources = [case for case in cases if not case.info]
        self.drift(resources)
        self.remove(resources)

    def make(self, cases: Sequence[Case]) -> None:
        """On a fresh account."""
        steps = []
        for case in cases:
            steps += [
                Step(case.module, "fresh check", {**case.present, **case.fresh}, check=True),
                Step(case.module, "apply", case.present),
            ]
            if not case.info:
                steps += [
                    Step(case.module, "check again", case.present, check=True),
                    Step(case.module, "apply again", case.present),
                ]
        self.play(steps)
        for case in cases:
            wanted = "ok" if case.info else "changed"
            self.tell(case, "fresh check", self.answer(case, "fresh check").unlike(wanted))
            made = case.info or case.read()
            self.tell(case, "apply", self.answer(case, "apply").unlike(wanted), "" if made else "makes nothing")
            if not case.info:
                self.tell(case, "check again", self.answer(case, "check again").unlike("ok"))
                self.tell(case, "apply again", self.answer(case, "apply again").unlike("ok"))
                changes = [self.answer(case, rung) for rung in ("fresh check", "apply")]
                told = [answer.shows for answer in changes if answer.status == "changed"]
                self.tell(case, "diff", "" if told and all(told) else "no diff")

    def drift(self, cases: Sequence[Case]) -> None:
        """Somebody changes each resource by hand."""
        made = {case.module: case.read() for case in cases}
        for case in cases:
            case.drift()
        drifted = {case.module: case.read() for case in cases}
        self.play([Step(case.module, "drift check", case.present, check=True) for case in cases])
        checked = {case.module: case.read() for case in cases}
        self.play([Step(case.module, "drift apply", case.present) for case in cases])
        for case in cases:
            name = case.module
            assert made[name] != drifted[name], f"the {name} did not drift"
            self.tell(
                case,
                "drift check",
                "" if checked[name] == drifted[name] else "changes the resource",
                self.answer(case, "drift check").unlike("changed"),
            )
            self.tell(
                case,
                "drift apply",
                # Where the check did it already there is nothing left to do.
                self.answer(case, "drift apply").unlike("changed", "ok"),
                "" if case.read() == made[name] else "does not mend it",
            )

    def remove(self, cases: Sequence[Case]) -> None:
        """Absent in check mode, absent, absent."""
        steps = []
        for case in cases:
            absent = case.absent()
            steps += [
                Step(case.module, "absent check", absent, check=True),
                Step(case.module, "absent", absent),
                Step(case.module, "absent again", absent),
                Step(case.module, "absent check again", absent, check=True),
            ]
        self.play(steps)
        for case in cases:
            self.tell(case, "absent check", self.answer(case, "absent check").unlike("changed"))
            left = "leaves something" if case.read() else ""
            self.tell(case, "absent", self.answer(case, "absent").unlike("changed"), left)
            again = self.answer(case, "absent again").unlike("ok")
            checked = self.answer(case, "absent check again").unlike("ok", "skipped")
            self.tell(case, "absent again", checked and f"in check mode {checked}", again)

    def try_options(self, cases: Sequence[Case]) -> None:
        """What roles ask for besides."""
        tried = [
            (case, f"options {number}.{turn}", options, "ok" if turn and options == series[turn - 1] else "changed")
            for case in cases
            for number, series in enumerate(case.options)
            for turn, options in enumerate(series)
        ]
        self.play([Step(case.module, rung, options) for case, rung, options, _wanted in tried])
        for case in cases:
            if case.options:
                ends = [self.answer(of, rung).unlike(wanted) for of, rung, _options, wanted in tried if of is case]
                self.tell(case, "options", *ends)

    def lose_replies(self, cases: Sequence[Case]) -> None:
        """The reply to the create is lost, then that to the delete."""
        with ExitStack() as stack:
            proxies = self.proxies(stack, cases)
            for case in cases:
                proxies[case.module].book.set([Rule("lost", action=case.create, calls=1)])
            self.play(
                [
                    Step(case.module, "lost create", case.present, endpoint=proxies[case.module].endpoint)
                    for case in cases
                ]
            )
            for case in cases:
                struck = proxies[case.module].book.struck("lost")
                assert struck, f"the {case.module} did not call {case.create}"
                count = len(case.read())
                # It may find what it made, and say that nothing changed.
                end = self.answer(case, "lost create").unlike("changed", "ok")
                self.tell(case, "lost create", "" if count == 1 else f"makes {count}", end)
                proxies[case.module].book.set([Rule("lost", action=case.delete, calls=1)])
            self.play(
                [
                    Step(case.module, "lost delete", case.absent(), endpoint=proxies[case.module].endpoint)
                    for case in cases
                ]
            )
            for case in cases:
                self.tell(case, "lost delete", self.answer(case, "lost delete").unlike("changed", "ok"))

    def throttle(self, cases: Sequence[Case]) -> None:
        """A share of all calls is refused; every module has a proxy of its own, so that it is always the same calls."""
        with ExitStack() as stack:
            proxies = self.proxies(stack, cases)
            for proxy in proxies.values():
                proxy.book.set([Rule("throttle", probability=THROTTLED_SHARE)])
            for rung in ("throttled apply", "throttled absent"):
                self.play(
                    [
                        Step(
                            case.module,
                            rung,
                            case.absent() if rung == "throttled absent" else case.present,
                            endpoint=proxies[case.module].endpoint,
                        )
                        for case in cases
                    ]
                )
        for case in cases:
            ends = [self.answer(case, rung).unlike("changed", "ok") for rung in ("throttled apply", "throttled absent")]
            self.tell(case, "throttling", *ends)

    def refuse(self, cases: Sequence[Case]) -> None:
        """The credentials have expired, and somebody must be told what to do."""
        with ExitStack() as stack:
            proxies = self.proxies(stack, cases)
            for proxy in proxies.values():
                proxy.book.set([Rule("expired")])
            self.play([Step(case.module, "refusal", {}, endpoint=proxies[case.module].endpoint) for case in cases])
        for case in cases:
            answer = self.answer(case, "refusal")
            told = answer.status == "ignored" and error_advice.EXPIRED in answer.message
            self.tell(case, "refusal", "" if told else f"says only: {answer.message}")

    def proxies(self, stack: ExitStack, cases: Sequence[Case]) -> dict[str, FaultProxy]:
        """One for each module."""
        return {case.module: stack.enter_context(fault_proxy(self.aws.endpoint)) for case in cases}
