# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""One local AWS behind one fault proxy for all files, and what a run without faults makes in it.

Every file begins with an empty account (``empty_account``).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.faults import resources
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import FaultProxy, fault_proxy

# Options whose resources the default deployment does not have.
MORE: dict[str, Any] = {
    "storage_dags_bucket": True,
    "secrets_connections": {"warehouse": "postgresql://user:password@db.example.com/warehouse"},
    "secrets_variables": {"stage": "test"},
    "airflow_worker_groups": [
        {"name": "default", "queue": "default", "cpu": 1024, "memory": 2048, "concurrency": 4, "min": 1, "max": 2},
        {
            **{"name": "large", "queue": "large", "cpu": 2048, "memory": 4096, "concurrency": 2, "min": 0, "max": 1},
            "policy_arns": ["arn:aws:iam::aws:policy/ReadOnlyAccess"],
        },
    ],
    "load_balancer_certificate_source": "request",
    "load_balancer_hosted_zone_name": "example.com",
    "load_balancer_waf": "create",
    "load_balancer_oidc": {
        "issuer": "https://login.example.com",
        "authorization_endpoint": "https://login.example.com/authorize",
        "token_endpoint": "https://login.example.com/token",
        "user_info_endpoint": "https://login.example.com/userinfo",
        "client_id": "airflow",
        "client_secret_name": "login/client",
        "client_secret_key": "secret",
    },
    "load_balancer_oidc_exempt_paths": ["/api/v2/*"],
    "monitoring_notification_emails": ["ops@example.com"],
}


@dataclass
class Bench:
    """The account, the proxy in front of it, and clients past the proxy."""

    aws: runs.ControlPlane
    proxy: FaultProxy
    nothing: resources.Resources
    clients: dict[str, Any]

    def client(self, service: str) -> Any:
        """A boto3 client that no fault strikes."""
        if service not in self.clients:
            self.clients[service] = self.aws.client(service)
        return self.clients[service]

    def prepare(self) -> None:
        """Empty the account but for what MORE refers to."""
        self.proxy.trap(None)
        self.proxy.book.set([])
        self.aws.reset()
        self.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")
        self.client("secretsmanager").create_secret(Name="login/client", SecretString=json.dumps({"secret": "x"}))
        self.nothing = resources.account(self.client)

    def account(self) -> resources.Resources:
        """What the account holds, apart from what ``prepare`` left in it."""
        held = resources.account(self.client)
        held.subtract(self.nothing)
        return Counter({key: count for key, count in held.items() if count})

    def play(self, playbook: str, *options: str, **more: Any) -> runs.PlaybookRun:
        """Run a playbook through the proxy, with MORE."""
        extra = {**MORE, **more.pop("extra", {})}
        return self.aws.play(playbook, *options, extra=extra, endpoint=self.proxy.endpoint, **more)


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    directory = tmp_path_factory.mktemp("faults")
    with runs.control_plane(directory) as aws, fault_proxy(aws.endpoint) as proxy:
        yield Bench(aws, proxy, Counter(), {})


@dataclass(frozen=True)
class Reference:
    """What site.yml makes and calls when nothing goes wrong."""

    account: resources.Resources
    calls: Counter[tuple[str, str]]


@pytest.fixture(scope="session")
def reference(bench: Bench) -> Reference:
    bench.prepare()
    site = bench.play("site")
    assert site.code == 0, site.end()
    return Reference(bench.account(), bench.proxy.book.actions())


@pytest.fixture(scope="module")
def empty_account(bench: Bench, reference: Reference) -> None:
    """For the first test of a file."""
    bench.prepare()


@pytest.fixture(scope="session")
def record() -> Callable[[str, dict[str, Any]], None]:
    """``record("lost_replies", figures)`` writes artifacts/faults_lost_replies.json."""

    def write(name: str, figures: dict[str, Any]) -> None:
        runs.ARTIFACTS.mkdir(exist_ok=True)
        text = json.dumps(figures, indent=2) + "\n"
        (runs.ARTIFACTS / f"faults_{name}.json").write_text(text, encoding="utf-8")

    return write
