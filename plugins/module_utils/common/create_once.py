# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Create a resource once, also when AWS's reply is lost on the way: ``create_once``.

botocore repeats a call whose reply did not arrive. The first attempt may have succeeded, so that a repeated CreateVpc
makes a second VPC. ``create_once`` repeats only what certainly did not happen (throttling, no connection); after a
reset connection, a read timeout or a 5xx it looks for the resource, adopts it when it is there, else creates it again.

Needed for
- calls that AWS repeats blindly: EC2 CreateVpc, CreateSubnet, CreateInternetGateway, AllocateAddress, KMS CreateKey,
  ACM ImportCertificate without an ARN, ECS RegisterTaskDefinition. Look for the resource by tags that the create sets;
- unique names where the repeated call answers "exists already" (ECR CreateRepository, IAM CreateRole, RDS, log groups,
  security groups, WAF, DB subnet and parameter groups): pass those codes as ``exists``.

Not needed for
- members that the service model marks as ``idempotencyToken`` (``operation_model.idempotent_members``): botocore fills
  them once per call and sends the same token in every attempt. So it is with EC2 CreateNatGateway, CreateRouteTable and
  CreateNetworkAcl, ECS RunTask, Secrets Manager CreateSecret, Cloud Map CreateHttpNamespace;
- tokens that the model does not mark, when the caller passes one (``ClientToken=uuid.uuid4().hex``): EC2
  CreateVpcEndpoint and CreateFlowLogs, ECS CreateService, ACM RequestCertificate, Route 53 CreateHostedZone;
- calls that answer the same again by definition: SQS CreateQueue, SNS CreateTopic, ECS CreateCluster, ELB
  CreateLoadBalancer and CreateTargetGroup, every Put and Update.

A run that was killed is another matter: the next one has no token any more, and finds by name or tags what is there.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import BotoCoreError, ClientError, ConnectTimeoutError, EndpointConnectionError

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.common.retries import THROTTLED, asking_first

Made = TypeVar("Made")
ATTEMPTS = 10
# A new resource can be missing in lists for some seconds: pauses before each look, in seconds.
LOOKS_BY_TAG = (0.0, 1.0, 2.0, 4.0)
# A unique name is safe to try again soon.
LOOKS_BY_NAME = (0.0, 1.0)
SERVER_ERRORS = (500, 502, 503, 504)
READS = ("Describe", "Get", "Head", "List")


class UnansweredError(Exception):
    """A call with an unknown outcome; ``cause`` is botocore's error."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


def create_once(
    client: Any,
    create: Callable[[], Made],
    find: Callable[[], Made | None],
    exists: tuple[str, ...] = (),
) -> Made:
    """Return what ``create`` returns, or what ``find`` finds after a reply was lost; never make two.

    ``client`` is the boto3 client that ``create`` uses for its one call that changes something. ``find`` returns the
    resource in the same shape, or None, and must recognize it by what ``create`` sets (tags, name). It is called only
    after a lost reply: look before calling create_once, too, for what an earlier run made. ``exists`` are the error
    codes with which the service refuses a name in use; they count only after a lost reply.

    Raises the ClientError or BotoCoreError of the last attempt; call it inside a function decorated with ``aws.call``::

        @call("create the VPC")
        def create_vpc(ec2: Any, name: str, cidr: str) -> dict[str, Any]:
            return create_once(
                ec2,
                lambda: ec2.create_vpc(CidrBlock=cidr, TagSpecifications=[...])["Vpc"],
                lambda: find_vpc(ec2, name),
            )
    """
    looks = LOOKS_BY_NAME if exists else LOOKS_BY_TAG
    lost = False
    last: Exception = AssertionError("no attempt was made")
    for _attempt in range(ATTEMPTS):
        try:
            with asking_first(client, _refuse_repeat):
                return create()
        except UnansweredError as error:
            lost = True
            last = error.cause
        except (ClientError, AnsibleAWSError) as error:
            if not lost or error_code(error) not in exists:
                raise
            last = error
        found = _look(find, looks)
        if found is not None:
            return found
    raise last


def error_code(error: Exception) -> str:
    """The AWS code of a ClientError, or of the one that an AnsibleAWSError carries; empty when there is none."""
    cause = error.exception if isinstance(error, AnsibleAWSError) else error
    return str(cause.response["Error"].get("Code", "")) if isinstance(cause, ClientError) else ""


def _look(find: Callable[[], Made | None], pauses: tuple[float, ...]) -> Made | None:
    for pause in pauses:
        time.sleep(pause)
        found = find()
        if found is not None:
            return found
    return None


def _refuse_repeat(
    operation: Any, response: tuple[Any, dict[str, Any]] | None, caught_exception: Exception | None, **_others: Any
) -> None:
    """End an unanswered call that changes something, before botocore repeats it; reads are repeated as ever."""
    if operation.name.startswith(READS):
        return
    if caught_exception is not None:
        if isinstance(caught_exception, BotoCoreError) and not isinstance(
            caught_exception, (ConnectTimeoutError, EndpointConnectionError)
        ):
            raise UnansweredError(caught_exception)
        return
    if response is None:
        return
    answer, parsed = response
    if answer.status_code in SERVER_ERRORS and parsed.get("Error", {}).get("Code") not in THROTTLED:
        raise UnansweredError(ClientError(parsed, operation.name))
