# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which answers a client repeats: those about what exists, and no others. AWS is scripted; nothing sleeps."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.propagation import memory
from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.memory import Memory
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

CERTIFICATE = "arn:aws:acm:eu-west-1:000000000000:certificate/0"
BALANCER = "arn:aws:elasticloadbalancing:eu-west-1:000000000000:loadbalancer/app/web/0"
TASK = "arn:aws:ecs:eu-west-1:000000000000:task/main/0"
ROLE = {"Role": "<Role><RoleName>web</RoleName><Arn>arn:aws:iam::000000000000:role/web</Arn></Role>"}
GONE = ("NoSuchEntity", "The role with name web cannot be found.")
LISTENER: dict[str, Any] = {
    "LoadBalancerArn": BALANCER,
    "Port": 443,
    "Certificates": [{"CertificateArn": CERTIFICATE}],
    "DefaultActions": [],
}
# An error is (code, message); an answer is a dictionary (JSON) or the inside of an XML result.
Answer = tuple[str, str] | dict[str, Any]


class Body:
    """The body of an answer as urllib3 gives it."""

    def __init__(self, text: str) -> None:
        self.text = text

    def stream(self) -> list[bytes]:
        return [self.text.encode()]


class Aws:
    """Clients with one memory. ``script`` has the answers of each operation, the last one for ever."""

    def __init__(self) -> None:
        self.script: dict[str, list[Answer]] = {}
        self.calls: list[str] = []
        self.memory = Memory(self.client)

    def client(self, service: str) -> Any:
        keys = {"aws_access_key_id": "test", "aws_secret_access_key": "test"}
        made = boto3.client(service, region_name="eu-west-1", **keys)
        made.meta.events.register("before-send", self.send)
        self.memory.attach(made)
        return made

    def send(self, request: Any, event_name: str, **_others: Any) -> AWSResponse:
        operation = event_name.rsplit(".", 1)[-1]
        self.calls.append(operation)
        answers = self.script[operation]
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        status = 400 if isinstance(answer, tuple) else 200
        return AWSResponse(request.url, status, {}, Body(_text(operation, answer, "X-Amz-Target" in request.headers)))


def _text(operation: str, answer: Answer, is_json: bool) -> str:
    if is_json:
        return json.dumps({"__type": answer[0], "message": answer[1]} if isinstance(answer, tuple) else answer)
    if isinstance(answer, tuple):
        fields = f"<Code>{answer[0]}</Code><Message>{answer[1]}</Message>"
        return f"<ErrorResponse><Error>{fields}</Error></ErrorResponse>"
    return (
        f"<{operation}Response><{operation}Result>{''.join(answer.values())}</{operation}Result></{operation}Response>"
    )


@pytest.fixture
def aws() -> Aws:
    return Aws()


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """All pauses."""
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses


def refused(call: Callable[[], Any]) -> str:
    """The code with which a call ends."""
    with pytest.raises(ClientError) as error:
        call()
    return str(error.value.response["Error"]["Code"])


def create_role(aws: Aws) -> Any:
    """A client of IAM that has made the role web."""
    aws.script["CreateRole"] = [ROLE]
    iam = aws.client("iam")
    iam.create_role(RoleName="web", AssumeRolePolicyDocument="{}")
    return iam


def test_what_was_made_is_waited_for(aws: Aws, slept: list[float]) -> None:
    iam = create_role(aws)
    aws.script["PutRolePolicy"] = [GONE, GONE, GONE, {}]
    iam.put_role_policy(RoleName="web", PolicyName="own", PolicyDocument="{}")
    assert slept == [0.25, 0.5, 1.0]


def test_the_wait_ends_with_the_error(aws: Aws, slept: list[float]) -> None:
    iam = create_role(aws)
    aws.script["GetRole"] = [GONE]
    assert refused(lambda: iam.get_role(RoleName="web")) == "NoSuchEntity"
    assert sum(slept) == 120


def test_what_nobody_made_is_an_error_at_once(aws: Aws, slept: list[float]) -> None:
    aws.script |= {"GetRole": [GONE], "PutRolePolicy": [GONE]}
    iam = aws.client("iam")
    assert refused(lambda: iam.get_role(RoleName="web")) == "NoSuchEntity"
    assert refused(lambda: iam.put_role_policy(RoleName="web", PolicyName="own", PolicyDocument="{}"))
    # The second one asked IAM whether there is such a role.
    assert (aws.calls, slept) == (["GetRole", "PutRolePolicy", "GetRole"], [])


def test_another_thing_that_is_missing_is_an_error_at_once(aws: Aws, slept: list[float]) -> None:
    iam = create_role(aws)
    aws.script["AttachRolePolicy"] = [("NoSuchEntity", "Policy arn:aws:iam::aws:policy/No does not exist.")]
    assert refused(lambda: iam.attach_role_policy(RoleName="web", PolicyArn="arn:aws:iam::aws:policy/No"))
    assert slept == []


def test_what_was_removed_is_not_waited_for(aws: Aws, slept: list[float]) -> None:
    iam = create_role(aws)
    aws.script |= {"DeleteRole": [{}], "GetRole": [GONE]}
    iam.delete_role(RoleName="web")
    assert refused(lambda: iam.get_role(RoleName="web")) == "NoSuchEntity"
    aws.script["DeleteRole"] = [GONE]
    assert refused(lambda: iam.delete_role(RoleName="web")) == "NoSuchEntity"
    assert slept == []


def test_what_lost_a_part_is_still_there(aws: Aws, slept: list[float]) -> None:
    iam = create_role(aws)
    aws.script |= {"DeleteRolePolicy": [{}], "GetRole": [GONE, ROLE]}
    iam.delete_role_policy(RoleName="web", PolicyName="own")
    iam.get_role(RoleName="web")
    assert slept == [0.25]


@pytest.mark.parametrize(
    ("said", "waits"),
    [
        ({"Certificate": {"CertificateArn": CERTIFICATE}}, True),
        (("AccessDeniedException", "not authorized"), True),
        (("ResourceNotFoundException", "no such certificate"), False),
    ],
)
def test_another_service_is_asked(aws: Aws, slept: list[float], said: Answer, waits: bool) -> None:
    """Another module made the certificate: only ACM can say whether ELB is late, and may not tell everybody."""
    late = ("CertificateNotFound", f"Certificate '{CERTIFICATE}' not found")
    aws.script |= {"CreateListener": [late, late, {}], "DescribeCertificate": [said]}
    elbv2 = aws.client("elbv2")
    if waits:
        elbv2.create_listener(**LISTENER)
        assert (aws.calls.count("DescribeCertificate"), slept) == (1, [0.25, 0.5])
    else:
        assert refused(lambda: elbv2.create_listener(**LISTENER)) == "CertificateNotFound"
        assert slept == []


def test_a_task_that_was_started_is_waited_for_and_one_that_is_forgotten_is_not(aws: Aws, slept: list[float]) -> None:
    missing = {"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]}
    found = {"tasks": [{"taskArn": TASK}], "failures": []}
    aws.script |= {"ListTasks": [{"taskArns": [TASK]}], "DescribeTasks": [missing]}
    ecs = aws.client("ecs")
    ecs.list_tasks(cluster="main")
    assert ecs.describe_tasks(cluster="main", tasks=[TASK])["tasks"] == []
    assert slept == []
    aws.script |= {"RunTask": [found], "DescribeTasks": [missing, missing, found]}
    ecs.run_task(cluster="main", taskDefinition="main")
    assert len(ecs.describe_tasks(cluster="main", tasks=[TASK])["tasks"]) == 1
    assert slept == [0.25, 0.5]


def test_the_end_of_what_is_going_is_seen(aws: Aws, slept: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    """A wait until it is gone reads it, until AWS says that there is no such thing."""
    gone = ("DBInstanceNotFound", "DBInstance airflow not found.")
    aws.script |= {"DescribeDBInstances": [{}], "DeleteDBInstance": [{}]}
    rds = aws.client("rds")
    rds.describe_db_instances(DBInstanceIdentifier="airflow")
    rds.delete_db_instance(DBInstanceIdentifier="airflow")
    rds.describe_db_instances(DBInstanceIdentifier="airflow")
    aws.script["DescribeDBInstances"] = [gone]
    assert refused(lambda: rds.describe_db_instances(DBInstanceIdentifier="airflow")) == gone[0]
    assert slept == []
    # Another module deletes it.
    watcher = Aws()
    watcher.script["DescribeDBInstances"] = [{}]
    rds = watcher.client("rds")
    rds.describe_db_instances(DBInstanceIdentifier="airflow")
    watcher.script["DescribeDBInstances"] = [gone]
    monkeypatch.setattr(memory, "READ_SECONDS", 0.0)
    assert refused(lambda: rds.describe_db_instances(DBInstanceIdentifier="airflow")) == gone[0]
    assert slept == []


def test_a_read_may_miss_what_the_one_before_found(aws: Aws, slept: list[float]) -> None:
    url = "https://sqs.eu-west-1.amazonaws.com/000000000000/work"
    unknown = ("AWS.SimpleQueueService.NonExistentQueue", "The specified queue does not exist.")
    aws.script |= {"GetQueueUrl": [{"QueueUrl": url}], "GetQueueAttributes": [unknown, {"Attributes": {}}]}
    sqs = aws.client("sqs")
    sqs.get_queue_attributes(QueueUrl=sqs.get_queue_url(QueueName="work")["QueueUrl"])
    assert slept == [0.25]


def test_a_name_of_two_kinds_is_two_things(aws: Aws, slept: list[float]) -> None:
    made = f"<LoadBalancerArn>{BALANCER}</LoadBalancerArn><LoadBalancerName>web</LoadBalancerName>"
    aws.script |= {
        "CreateLoadBalancer": [{"": f"<LoadBalancers><member>{made}</member></LoadBalancers>"}],
        "DescribeTargetGroups": [("TargetGroupNotFound", "One or more target groups not found")],
    }
    elbv2 = aws.client("elbv2")
    elbv2.create_load_balancer(Name="web")
    assert refused(lambda: elbv2.describe_target_groups(Names=["web"])) == "TargetGroupNotFound"
    assert slept == []


def test_words_that_mean_nothing_else_need_no_name(aws: Aws, slept: list[float]) -> None:
    unknown = ("ClientException", "ECS was unable to assume the role 'web' that was provided for this task.")
    aws.script["RunTask"] = [unknown, {"tasks": [], "failures": []}]
    aws.client("ecs").run_task(cluster="main", taskDefinition="main")
    assert slept == [0.25]


def test_a_module_ends_when_the_next_one_can_see_what_it_made(aws: Aws, slept: list[float]) -> None:
    create_role(aws)
    aws.script["GetRole"] = [GONE, ROLE]
    assert aws.memory.unseen() == []
    assert slept == [0.25]
    assert aws.memory.unseen() == []
    assert aws.calls == ["CreateRole", "GetRole", "GetRole"]


def test_a_module_tells_what_aws_does_not_show(aws: Aws, slept: list[float]) -> None:
    create_role(aws)
    aws.script["GetRole"] = [GONE]
    assert set(aws.memory.unseen()) == {"web", "arn:aws:iam::000000000000:role/web"}


def test_pauses_last_as_long_as_they_are_to() -> None:
    assert list(memory.pauses(2)) == [0.25, 0.5, 1.0, 0.25]
    assert sum(memory.pauses(300)) == 300
    assert max(memory.pauses(300)) == memory.LONGEST_PAUSE
