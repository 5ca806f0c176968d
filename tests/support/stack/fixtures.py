# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A deployed stack as tests see it, with what every suite of one needs: progress, figures, certificate, admin."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.support.stack.playbooks import Run
from ansible_collections.sm2a.airflow.tests.support.stack.settings import ARTIFACTS, ENDPOINT, NAME, REGION

Say = Callable[[str], None]
# Set it while working on these tests: the stack is left running, and the next session uses it as it is.
KEEP = "SM2A_END_TO_END_KEEP"


@pytest.fixture(scope="session")
def say(request: pytest.FixtureRequest) -> Say:
    """Print a line at once, past pytest's capture and xdist: this test takes long."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    started = time.monotonic()

    def print_line(text: str) -> None:
        with capture.global_and_fixture_disabled():
            minutes, seconds = divmod(int(time.monotonic() - started), 60)
            sys.stderr.write(f"\nend-to-end {minutes:02}:{seconds:02} {text}")
            sys.stderr.flush()

    return print_line


@dataclass
class Measures:
    """Figures for the report, written to artifacts/measures.json as soon as they are known."""

    values: dict[str, Any] = field(default_factory=dict)

    def record(self, **figures: Any) -> None:
        """Add figures; names end in their unit."""
        self.values |= figures
        ARTIFACTS.mkdir(exist_ok=True)
        (ARTIFACTS / "measures.json").write_text(json.dumps(self.values, indent=2) + "\n", encoding="utf-8")


@pytest.fixture(scope="session")
def measures() -> Measures:
    return Measures()


@dataclass(frozen=True)
class Stack:
    """What the deployment left behind. ``local_aws`` and ``site`` are the two runs that made it."""

    local_aws: Run
    site: Run

    @staticmethod
    def aws(service: str) -> Any:
        """A boto3 client of this stack's AWS."""
        return boto3.client(
            service,
            region_name=REGION,
            endpoint_url=ENDPOINT,
            aws_access_key_id="test",
            aws_secret_access_key="test",
        )

    def secret(self, name: str) -> str:
        """Value of the stack's secret ``<stack>/<name>``."""
        return str(self.aws("secretsmanager").get_secret_value(SecretId=f"{NAME}/{name}")["SecretString"])

    def container_logs(self) -> dict[str, str]:
        """Log group -> all that the containers wrote there."""
        logs = self.aws("logs")
        groups = [
            group["logGroupName"]
            for group in logs.describe_log_groups(logGroupNamePrefix=f"/sm2a/{NAME}/")["logGroups"]
        ]
        return {
            name: "\n".join(
                event["message"]
                for page in logs.get_paginator("filter_log_events").paginate(logGroupName=name)
                for event in page["events"]
            )
            for name in groups
        }


@pytest.fixture(scope="session")
def certificate(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Path of the certificate that the load balancer must serve, as ACM has it."""
    acm = stack.aws("acm")
    arns = [entry["CertificateArn"] for entry in acm.list_certificates()["CertificateSummaryList"]]
    path = tmp_path_factory.mktemp("certificate") / "load_balancer.pem"
    path.write_text("".join(acm.get_certificate(CertificateArn=arn)["Certificate"] for arn in arns), encoding="utf-8")
    return str(path)


@pytest.fixture(scope="session")
def admin(stack: Stack) -> dict[str, str]:
    """The admin's ``username`` and ``password``."""
    credentials: dict[str, str] = json.loads(stack.secret("admin"))
    return credentials
