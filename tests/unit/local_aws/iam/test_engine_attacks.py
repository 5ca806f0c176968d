# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Attacks from a real container: with what it finds there, it gets no further than its task role."""

from __future__ import annotations

import re
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import CLUSTER, LocalAws
from botocore.exceptions import ClientError

pytestmark = pytest.mark.engine

# Sends a request as a program in the container would, and prints the first line of the answer.
SEND = r"""
use IO::Socket::INET;
my ($method, $path, $target, $authorization) = @ARGV;
my ($host) = $ENV{ECS_CONTAINER_METADATA_URI_V4} =~ m{//([^/]+)};
my $socket = IO::Socket::INET->new($host) or die;
print $socket "$method $path HTTP/1.0\r\nHost: $host\r\nContent-Type: application/x-amz-json-1.1\r\n";
print $socket "X-Amz-Target: $target\r\n" if $target;
print $socket "Authorization: $authorization\r\n" if $authorization;
print $socket "Content-Length: 2\r\n\r\n{}";
print scalar(<$socket>);
"""
ADMINISTRATOR = (
    "AWS4-HMAC-SHA256 Credential=test/20261129/eu-west-1/secretsmanager/aws4_request, SignedHeaders=host, Signature=0"
)
ATTACKS = {
    "unsigned": ("POST", "/", "secretsmanager.ListSecrets", ""),
    "administrator": ("POST", "/", "secretsmanager.ListSecrets", ADMINISTRATOR),
    "agent": ("GET", "${ECS_CONTAINER_METADATA_URI_V4#http://*/}", "secretsmanager.ListSecrets", ""),
    "reset": ("POST", "/_ministack/reset", "", ""),
    "registry": ("GET", "/v2/", "", ""),
}


def shell(script: str) -> dict[str, Any]:
    return {"entryPoint": ["sh", "-c"], "command": [script]}


@pytest.fixture(scope="module")
def attacker(local_aws: LocalAws) -> Any:
    """A task that has tried everything, and its credentials."""
    own = "arn:aws:secretsmanager:eu-west-1:000000000000:secret:own-??????"
    role = local_aws.task_role(
        "attacker", {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": own}
    )
    lines = [f"cat > /tmp/send.pl <<'END'\n{SEND}END", "env | grep ^AWS_"]
    for name, (method, path, target, authorization) in ATTACKS.items():
        sent = path.replace("${", '/"${').replace("}", '}"') if "$" in path else path
        lines.append(f"echo {name} $(perl /tmp/send.pl {method} {sent} '{target}' '{authorization}')")
    lines += ["echo done", "sleep infinity"]
    definition = local_aws.task_definition("attacker", task_role=role, **shell("\n".join(lines)))
    task = local_aws.run_task(definition)
    local_aws.wait("the attacks", lambda: "done" in local_aws.log_lines("attacker", task))
    yield task, local_aws.log_lines("attacker", task)
    local_aws.client("ecs").stop_task(cluster=CLUSTER, task=task)


@pytest.fixture(scope="module")
def stolen(local_aws: LocalAws, attacker: Any) -> Any:
    """Makes clients with the credentials that are in the container."""
    found = dict(line.split("=", 1) for line in attacker[1] if re.match(r"AWS_\w+=", line))

    def client(service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=f"http://127.0.0.1:{local_aws.port}",
            region_name=found["AWS_REGION"],
            aws_access_key_id=found["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=found["AWS_SECRET_ACCESS_KEY"],
            aws_session_token=found["AWS_SESSION_TOKEN"],
        )

    return client


@pytest.mark.parametrize("attack", sorted(ATTACKS))
def test_a_request_without_the_tasks_signature_is_refused(attacker: Any, attack: str) -> None:
    (answer,) = [line for line in attacker[1] if line.startswith(f"{attack} ")]
    assert re.search(r" HTTP/1\.[01] 40[03]", answer), answer


def test_the_credentials_are_of_the_task(attacker: Any, stolen: Any) -> None:
    task_id = attacker[0].rpartition("/")[2]
    assert stolen("sts").get_caller_identity()["Arn"].endswith(f":assumed-role/attacker/{task_id}")


def test_they_read_the_secret_of_the_role_only(local_aws: LocalAws, stolen: Any) -> None:
    for name in ("own", "other"):
        local_aws.client("secretsmanager").create_secret(Name=name, SecretString=name)
    assert stolen("secretsmanager").get_secret_value(SecretId="own")["SecretString"] == "own"
    with pytest.raises(ClientError, match="not authorized to perform: secretsmanager:GetSecretValue"):
        stolen("secretsmanager").get_secret_value(SecretId="other")


def test_they_start_and_stop_no_task(local_aws: LocalAws, stolen: Any) -> None:
    definition = local_aws.task_definition("victim", **shell("sleep infinity"))
    victim = local_aws.run_task(definition)
    with pytest.raises(ClientError, match="not authorized to perform: ecs:RunTask"):
        stolen("ecs").run_task(cluster=CLUSTER, taskDefinition=definition)
    with pytest.raises(ClientError, match="not authorized to perform: ecs:StopTask"):
        stolen("ecs").stop_task(cluster=CLUSTER, task=victim)
    local_aws.client("ecs").stop_task(cluster=CLUSTER, task=victim)


def test_they_end_with_the_task(local_aws: LocalAws, attacker: Any, stolen: Any) -> None:
    """The last test: nothing can be tried from the container afterwards."""
    local_aws.client("ecs").stop_task(cluster=CLUSTER, task=attacker[0])
    local_aws.wait_for_task(attacker[0], "STOPPED")
    with pytest.raises(ClientError, match="expired"):
        stolen("sts").get_caller_identity()
