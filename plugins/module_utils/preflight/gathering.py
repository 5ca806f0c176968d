# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Ask AWS many things at once. A question without an answer is told, and ends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from threading import Lock
from typing import Any, Generic, TypeVar

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import ENCODED_MESSAGE
from ansible_collections.sm2a.airflow.plugins.module_utils.common.error_advice import advice
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.findings import Finding, Unread
from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.quotas import Usage

# A client of boto3 keeps ten connections.
WORKERS = 10
Value = TypeVar("Value")


@dataclass(frozen=True)
class Context:
    """Whose environment it is. ``options`` are those of the module, ``clients`` boto3's by their services."""

    options: Mapping[str, Any]
    clients: Mapping[str, Any]
    account_id: str
    region: str
    partition: str
    # Makes the client of Route 53 in the account that has the hosted zone.
    route53: Callable[[], Any]
    # Only hosted zones of Amazon's own AWS are in the world's DNS.
    amazon: bool = True

    @property
    def name(self) -> str:
        """Name of the environment."""
        return str(self.options["name"])

    @property
    def buckets(self) -> list[str]:
        """Names of its buckets, which end in the account."""
        return [f"{name}-{self.account_id}" for name in self.options["buckets"]]


@dataclass(frozen=True)
class Answer:
    """What a question brought: findings, uses of quotas by the name of the check, values of quotas by their codes."""

    findings: Sequence[Finding] = ()
    usages: Mapping[str, Sequence[Usage]] = field(default_factory=dict)
    values: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Read:
    """A question, and the checks that cannot be made without its answer."""

    checks: tuple[str, ...]
    ask: Callable[[], Answer]


class Once(Generic[Value]):
    """A question that several others build on: asked by the first of them; all get its answer, or its error."""

    def __init__(self, ask: Callable[[], Value]) -> None:
        self._ask = ask
        self._lock = Lock()
        self._answer: Future[Value] | None = None

    def __call__(self) -> Value:
        with self._lock:
            if self._answer is None:
                self._answer = Future()
                try:
                    self._answer.set_result(self._ask())
                except Exception as error:
                    self._answer.set_exception(error)
        return self._answer.result()


def or_refused(check: str, judge: Callable[[], list[Finding]]) -> Answer:
    """What is found, or what the run itself would refuse while it looks: an error that is not AWS's is a finding."""
    try:
        return Answer(judge())
    except AnsibleAWSError as error:
        if error.exception is not None:
            raise
        return Answer([Finding(check, f"{str(error).rstrip('.')}.")])


def gather(reads: Iterable[Read]) -> tuple[list[Answer], list[Unread]]:
    """All answers, and what could not be read."""
    answers, unread = [], []
    with ThreadPoolExecutor(WORKERS) as pool:
        for read, future in [(read, pool.submit(read.ask)) for read in reads]:
            try:
                answers.append(future.result())
            except AnsibleAWSError as error:
                unread.append(Unread(read.checks, reason(error)))
    return answers, unread


def reason(error: AnsibleAWSError) -> str:
    """Why a question has no answer, and what to do; of a missing right that alone."""
    said = ENCODED_MESSAGE.sub("", str(error)).rstrip(".")
    what_to_do = advice(error.exception)
    if what_to_do.startswith("The credentials lack"):
        return what_to_do
    return f"{said}. {what_to_do}".rstrip()
