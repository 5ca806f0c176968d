# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Ansible in real containers by ECS Exec: the inventory, the connection, and the local AWS between them."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec import messages
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.calls import Target
from ansible_collections.sm2a.airflow.plugins.plugin_utils.ecs_exec.session import Session, SessionError, start
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from ansible_collections.sm2a.airflow.tests.unit.local_aws.conftest import EXECUTION_ROLE, LocalAws
from ansible_collections.sm2a.airflow.tests.unit.local_aws.ecs_exec import python_image
from ansible_collections.sm2a.airflow.tests.unit.plugins.inventory.test_ecs_task import plain
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

import docker

pytestmark = pytest.mark.engine

NAME = "exec"
REGION, ACCOUNT = "eu-west-1", "000000000000"
PAGE = PROJECT / "docs/running_tasks.md"
# As roles/cluster/vars/policies.yml has them.
CHANNELS = ["CreateControlChannel", "CreateDataChannel", "OpenControlChannel", "OpenDataChannel"]
AGENT = {"Effect": "Allow", "Action": [f"ssmmessages:{name}" for name in CHANNELS], "Resource": "*"}
LOG_GROUP = "/sm2a/exec/exec"
RECORDS = (
    {"Effect": "Allow", "Action": "logs:DescribeLogGroups", "Resource": "*"},
    {
        "Effect": "Allow",
        "Action": ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"],
        "Resource": f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{LOG_GROUP}:*",
    },
)
UNRELATED = {"Effect": "Allow", "Action": "sqs:ListQueues", "Resource": "*"}
SECONDS = 30


@dataclass(frozen=True)
class Environment:
    """A cluster whose sessions are encrypted, with a service that ECS Exec is on for."""

    aws: LocalAws
    tasks: tuple[str, ...]
    role: str

    def start(self, container: str = "scheduler", task: str = "") -> Session:
        target = Target(NAME, task or self.tasks[0], container)
        return start(self.aws.client("ecs"), self.aws.client, target, SECONDS)


def _definition(aws: LocalAws, image: str, family: str, role: str, **container: Any) -> str:
    """Like a component of Airflow: another user, no capabilities, a second container."""
    linux = {"initProcessEnabled": True, "capabilities": {"drop": ["ALL"]}}
    idle = {"image": image, "entryPoint": ["sleep"], "command": ["infinity"], "linuxParameters": linux}
    answer = aws.client("ecs").register_task_definition(
        family=family,
        requiresCompatibilities=["FARGATE"],
        networkMode="awsvpc",
        executionRoleArn=EXECUTION_ROLE,
        cpu="256",
        memory="512",
        volumes=[{"name": "tmp"}],
        containerDefinitions=[
            {**idle, "name": "scheduler", "user": "50000:50000", **container},
            {**idle, "name": "metrics", "essential": False},
        ],
        **({"taskRoleArn": role} if role else {}),
    )
    return str(answer["taskDefinition"]["taskDefinitionArn"])


@pytest.fixture(scope="module")
def image(engine_socket: str) -> str:
    return python_image.have(docker.DockerClient(base_url=engine_socket))


@pytest.fixture(scope="module")
def environment(local_aws: LocalAws, image: str) -> Iterator[Environment]:
    ecs, tags = local_aws.client("ecs"), [{"TagKey": "sm2a:environment", "TagValue": NAME}]
    key = local_aws.client("kms").create_key(Tags=tags)["KeyMetadata"]["Arn"]
    role = local_aws.task_role(
        "exec-scheduler",
        AGENT,
        *RECORDS,
        {
            "Effect": "Allow",
            "Action": "kms:Decrypt",
            "Resource": key,
            "Condition": {"Null": {"kms:EncryptionContext:aws:ssm:SessionId": "false"}},
        },
    )
    logs = local_aws.client("logs")
    logs.create_log_group(logGroupName=LOG_GROUP, kmsKeyId=key)
    logging = {"cloudWatchLogGroupName": LOG_GROUP, "cloudWatchEncryptionEnabled": True}
    configuration = {"kmsKeyId": key, "logging": "OVERRIDE", "logConfiguration": logging}
    ecs.create_cluster(clusterName=NAME, configuration={"executeCommandConfiguration": configuration})
    ecs.create_service(
        cluster=NAME,
        serviceName="scheduler",
        taskDefinition=_definition(local_aws, image, "exec-scheduler", role),
        desiredCount=2,
        launchType="FARGATE",
        enableExecuteCommand=True,
        propagateTags="SERVICE",
        tags=[{"key": "sm2a:component", "value": "scheduler"}],
    )

    def running() -> list[str]:
        arns = ecs.list_tasks(cluster=NAME, serviceName="scheduler")["taskArns"]
        found = ecs.describe_tasks(cluster=NAME, tasks=arns)["tasks"] if arns else []
        return sorted(task["taskArn"] for task in found if task["lastStatus"] == "RUNNING")

    local_aws.wait("two tasks", lambda: len(running()) == 2)
    yield Environment(local_aws, tuple(running()), role)
    ecs.delete_service(cluster=NAME, service="scheduler", force=True)


@pytest.fixture(scope="module")
def session(environment: Environment) -> Iterator[Session]:
    opened = environment.start()
    yield opened
    opened.close()


def _run(session: Session, command: str, given: bytes = b"") -> tuple[int, bytes, bytes]:
    output, errors = bytearray(), bytearray()
    code = session.run(command, [given] if given else [], output.extend, errors.extend)
    return code, bytes(output), bytes(errors)


def test_commands_have_exit_codes_and_output_and_errors_apart(session: Session) -> None:
    assert _run(session, "echo out; echo err >&2; exit 7") == (7, b"out\n", b"err\n")
    assert _run(session, "no-such-program")[0] == 127
    assert _run(session, "kill -9 $(sh -c 'echo $PPID')")[0] == 137
    assert _run(session, "true") == (0, b"", b"")


def test_a_command_without_input_reads_the_end(session: Session) -> None:
    assert _run(session, "cat; echo end") == (0, b"end\n", b"")


def test_input_that_a_command_leaves_is_not_run(session: Session) -> None:
    assert _run(session, "exit 3", b"echo attack\n" * 10_000) == (3, b"", b"")
    assert _run(session, "echo next") == (0, b"next\n", b"")


def test_commands_run_as_root_of_the_container_without_capabilities(session: Session) -> None:
    code, output, _errors = _run(session, "id -u; grep CapEff /proc/self/status; echo $ECS_AGENT_URI")
    uid, capabilities, agent = output.decode().split("\n")[:3]
    assert (code, uid, capabilities.split()[1]) == (0, "0", "0" * 16)
    assert agent.startswith("http://")


def test_a_mebibyte_goes_both_ways_unchanged(session: Session) -> None:
    data = os.urandom(1_048_576 + 1)
    code, output, errors = _run(session, "cat", data)
    assert (code, errors) == (0, b"")
    assert output == data


def test_each_container_of_a_task_can_be_entered(environment: Environment) -> None:
    other = environment.start("metrics")
    assert _run(other, "id -u") == (0, b"0\n", b"")
    other.close()


def test_a_session_ends_with_its_task_in_the_middle_of_a_command(environment: Environment) -> None:
    opened = environment.start(task=environment.tasks[1])
    stop = environment.aws.client("ecs").stop_task
    threading.Timer(1.0, stop, kwargs={"cluster": NAME, "task": environment.tasks[1]}).start()
    with pytest.raises(SessionError, match=r"ended while a command ran: the task or the container has stopped"):
        _run(opened, "sleep 300")
    opened.close()


def test_a_closed_session_leaves_no_program_behind(environment: Environment, session: Session) -> None:
    other = environment.start()

    def run() -> None:
        with contextlib.suppress(SessionError):
            _run(other, "sleep 4321")

    running = threading.Thread(target=run)
    running.start()
    count = "cat /proc/[0-9]*/cmdline | tr '\\0' ' ' | grep -c 'slee[p] 4321' || true"
    environment.aws.wait("the program", lambda: _run(session, count)[1] != b"0\n")
    other._close()  # The connection is lost.
    running.join(SECONDS)
    environment.aws.wait("its end", lambda: _run(session, count)[1] == b"0\n")


def test_a_session_is_recorded(environment: Environment) -> None:
    logs, opened = environment.aws.client("logs"), environment.start()
    _run(opened, "echo recorded words")
    opened.close()
    shown = base64.b64encode(b"recorded words\n").decode()

    def records() -> list[str]:
        streams = logs.describe_log_streams(logGroupName=LOG_GROUP)["logStreams"]
        names = [one["logStreamName"] for one in streams]
        assert all(name.startswith("ecs-execute-command-") for name in names)
        found = [logs.get_log_events(logGroupName=LOG_GROUP, logStreamName=name)["events"] for name in names]
        return [event["message"] for events in found for event in events if shown in event["message"]]

    environment.aws.wait("the record", records)


def test_a_token_opens_its_session_once(environment: Environment) -> None:
    made = environment.aws.client("ecs").execute_command(
        cluster=NAME, task=environment.tasks[0], container="scheduler", command="sleep 1", interactive=True
    )["session"]
    opening = json.dumps({"MessageSchemaVersion": "1.0", "TokenValue": made["tokenValue"]})
    with connect(made["streamUrl"]) as first, connect(made["streamUrl"]) as second:
        first.send(opening)
        assert agent_request(first.recv(timeout=SECONDS))["RequestedClientActions"][1]["ActionType"] == "KMSEncryption"
        second.send(opening)
        with pytest.raises(ConnectionClosed):
            second.recv(timeout=SECONDS)


def agent_request(raw: str | bytes) -> dict[str, Any]:
    assert isinstance(raw, bytes)
    return messages.unpack(raw).members()


def test_refusals_say_what_to_do(environment: Environment, image: str) -> None:
    ecs = environment.aws.client("ecs")

    def run(family: str, role: str, enabled: bool, **container: Any) -> str:
        definition = _definition(environment.aws, image, family, role, **container)
        answer = ecs.run_task(
            cluster=NAME, taskDefinition=definition, launchType="FARGATE", enableExecuteCommand=enabled
        )
        arn = str(answer["tasks"][0]["taskArn"])

        def status() -> str:
            return str(ecs.describe_tasks(cluster=NAME, tasks=[arn])["tasks"][0]["lastStatus"])

        environment.aws.wait("the task", lambda: status() == "RUNNING")
        return arn

    cases = {
        run("off", environment.role, False): "ECS Exec is off for this task",
        run("read-only", environment.role, True, readonlyRootFilesystem=True): "ECS Exec is off for this task",
        run(
            "no-rights", environment.aws.task_role("no-rights", UNRELATED), True
        ): "The agent of ECS Exec in the container is not",
        run("no-role", "", True): "The agent of ECS Exec in the container is not",
        run("no-key", environment.aws.task_role("no-key", AGENT), True): "not authorized to perform: kms:Decrypt",
    }
    for task, said in cases.items():
        with pytest.raises(SessionError, match=re.escape(said)):
            environment.start(task=task)
        ecs.stop_task(cluster=NAME, task=task)


# --- Ansible ---------------------------------------------------------------------------------------------------------


def _policy() -> str:
    """The policy of docs/running_tasks.md for this environment."""
    found = re.search(r"```json\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert found
    return found[1].replace("REGION", REGION).replace("ACCOUNT", ACCOUNT).replace("NAME", NAME)


@pytest.fixture(scope="module")
def operator(environment: Environment) -> dict[str, str]:
    """Environment variables with the session of somebody who has the documented rights and no others."""
    iam = environment.aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="operator", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    iam.put_role_policy(RoleName="operator", PolicyName="running-tasks", PolicyDocument=_policy())
    made = environment.aws.client("sts").assume_role(RoleArn=role, RoleSessionName="test")["Credentials"]
    return {
        "AWS_ACCESS_KEY_ID": made["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": made["SecretAccessKey"],
        "AWS_SESSION_TOKEN": made["SessionToken"],
    }


Ansible = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture(scope="module")
def ansible(environment: Environment, operator: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Ansible:
    """Runs a program of Ansible with the inventory, as the operator."""
    source = tmp_path_factory.mktemp("inventory") / "exec.ecs_task.yml"
    url = f"http://127.0.0.1:{environment.aws.port}"
    lines = ["plugin: sm2a.airflow.ecs_task", f"region: {REGION}", f"cluster: {NAME}", f"endpoint_url: {url}"]
    lines += ["keyed_groups: [{key: memory, prefix: memory}]", "services: [scheduler]"]
    source.write_text("\n".join(lines) + "\n", encoding="utf-8")

    def run(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run(
            [str(Path(sys.executable).parent / program), "-i", str(source), *arguments],
            cwd=PROJECT,
            env={**kept, **operator, "ANSIBLE_NOCOLOR": "1"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )

    return run


def test_the_inventory_has_the_tasks(environment: Environment, ansible: Ansible) -> None:
    done = ansible("ansible-inventory", "--list")
    assert done.returncode == 0, done.stderr
    listed = plain(json.loads(done.stdout))
    name = f"scheduler-{environment.tasks[0].rpartition('/')[2][:8]}"
    variables = listed["_meta"]["hostvars"][name]
    assert variables["ecs_task_arn"] == environment.tasks[0]
    assert variables["ecs_component"] == variables["ecs_container"] == variables["ecs_service"] == "scheduler"
    assert {one["exec_agent_status"] for one in variables["ecs_containers"]} == {"RUNNING"}
    for group in ("ecs_task", "service_scheduler", "availability_zone_eu_west_1a", "memory_512"):
        assert name in listed[group]["hosts"], group
    assert not [one for one in done.stdout.split() if "SECRET" in one.upper()]


def test_modules_and_files(environment: Environment, ansible: Ansible, tmp_path: Path) -> None:
    sent = os.urandom(300_000)
    (tmp_path / "sent").write_bytes(sent)
    playbook = tmp_path / "play.yml"
    playbook.write_text(
        f"""
- hosts: scheduler-{environment.tasks[0].rpartition("/")[2][:8]}
  gather_facts: false
  tasks:
    - ansible.builtin.ping:
    - ansible.builtin.copy: {{src: "{tmp_path}/sent", dest: "/tmp/a file", mode: "0600"}}
    - ansible.builtin.copy: {{src: "{tmp_path}/sent", dest: "/tmp/a file", mode: "0600"}}
      register: again
      failed_when: again is changed
    - ansible.builtin.fetch: {{src: "/tmp/a file", dest: "{tmp_path}/fetched", flat: true}}
    - ansible.builtin.command: sh -c 'echo said; echo why >&2; exit 4'
      register: failing
      failed_when: failing.rc != 4 or failing.stdout != 'said' or failing.stderr != 'why'
    - ansible.builtin.raw: exit 5
      register: raw
      failed_when: raw.rc != 5
    - ansible.builtin.ping:
      vars: {{ansible_pipelining: false}}
    - ansible.builtin.command: "true"
      become: true
      register: become
      ignore_errors: true
    - ansible.builtin.assert: {{that: "'leave become out' in become.msg"}}
""",
        encoding="utf-8",
    )
    done = ansible("ansible-playbook", str(playbook))
    assert done.returncode == 0, done.stdout + done.stderr
    assert (tmp_path / "fetched").read_bytes() == sent


def test_ad_hoc_commands(ansible: Ansible) -> None:
    done = ansible("ansible", "service_scheduler", "-m", "ansible.builtin.command", "-a", "id -u")
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(r"scheduler-\w+ \| CHANGED \| rc=0 >>\n0\n", done.stdout)
    failed = ansible("ansible", "service_scheduler", "-m", "ansible.builtin.raw", "-a", "false")
    assert failed.returncode == 2
    assert "rc=1" in failed.stdout


def test_a_lost_session_is_an_unreachable_host(environment: Environment, ansible: Ansible) -> None:
    """The last test of this task."""
    ecs = environment.aws.client("ecs")

    def stop_soon() -> None:
        time.sleep(6)
        for arn in ecs.list_tasks(cluster=NAME, serviceName="scheduler")["taskArns"]:
            ecs.stop_task(cluster=NAME, task=arn)

    stopper = threading.Thread(target=stop_soon)
    stopper.start()
    done = ansible("ansible", "service_scheduler", "-m", "ansible.builtin.raw", "-a", "sleep 300")
    stopper.join()
    assert done.returncode == 4, done.stdout + done.stderr
    assert "UNREACHABLE" in done.stdout
    assert "the task or the container has stopped" in done.stdout


def test_the_operator_may_do_no_more(environment: Environment, operator: dict[str, str]) -> None:
    ecs = boto3.client(
        "ecs",
        region_name=REGION,
        endpoint_url=f"http://127.0.0.1:{environment.aws.port}",
        aws_access_key_id=operator["AWS_ACCESS_KEY_ID"],
        aws_secret_access_key=operator["AWS_SECRET_ACCESS_KEY"],
        aws_session_token=operator["AWS_SESSION_TOKEN"],
    )
    with pytest.raises(ecs.exceptions.ClientError, match="not authorized to perform: ecs:ExecuteCommand"):
        ecs.execute_command(cluster="tests", task="0" * 32, command="sh", interactive=True)
    with pytest.raises(ecs.exceptions.ClientError, match="not authorized to perform: ecs:StopTask"):
        ecs.stop_task(cluster=NAME, task=environment.tasks[0])
