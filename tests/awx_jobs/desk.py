# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Launches templates as an operator and the controller do, in an account that administrators have prepared."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.sm2a.airflow.tests.awx_jobs.controller import Controller, JobRun
from ansible_collections.sm2a.airflow.tests.awx_jobs.definitions import Definitions
from ansible_collections.sm2a.airflow.tests.awx_jobs.layout import Credential, Job
from ansible_collections.sm2a.airflow.tests.support import airflow_stand_in
from ansible_collections.sm2a.airflow.tests.support import control_plane as runs
from ansible_collections.sm2a.airflow.tests.support.certificate import KeyPair

ENVIRONMENT = "small"
IMAGES = {
    name: f"registry.example.com/{name.split('_')[1]}@sha256:{digit * 64}"
    for name, digit in (("images_airflow_image", "1"), ("images_autoscaler_image", "2"))
}
ROLE = "sm2a-deployer"
DOMAIN = f"{ENVIRONMENT}.airflow.example.com"
CERTIFICATE_SECRET = "company/certificate"


def document(statement: Mapping[str, Any]) -> str:
    """A policy of one statement."""
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@dataclass
class Desk:
    """Who launches jobs: fills in what an operator and the controller would."""

    controller: Controller
    aws: runs.ControlPlane
    inventory: Mapping[str, Any]
    definitions: Definitions
    airflow: airflow_stand_in.Airflow
    certificate: KeyPair
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(101))
    keys: dict[str, str] = field(default_factory=dict, repr=False)
    trust: str = ""

    def prepare(self) -> None:
        """Forget every resource, then make what administrators have made.

        The hosted zone that inventories/example names, a certificate, the role that deploys, and the user with whose
        keys the controller assumes it: that is all that the user may.
        """
        self.aws.reset()
        self.airflow.states = ["success"]
        self.airflow.runs.clear()
        self.airflow.logins.clear()
        self.aws.client("route53").create_hosted_zone(Name="example.com", CallerReference="1")
        pair = self.certificate
        secret = json.dumps({"certificate": pair.certificate.decode(), "private_key": pair.private_key.decode()})
        self.aws.client("secretsmanager").create_secret(Name=CERTIFICATE_SECRET, SecretString=secret)
        iam = self.aws.client("iam")
        user = iam.create_user(UserName="controller")["User"]["Arn"]
        may = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": "*"}
        iam.put_user_policy(UserName="controller", PolicyName="assume", PolicyDocument=document(may))
        made = iam.create_access_key(UserName="controller")["AccessKey"]
        self.keys |= {"access_key_id": made["AccessKeyId"], "secret_access_key": made["SecretAccessKey"]}
        self.trust = document({"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": user}})
        iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=self.trust)
        iam.attach_role_policy(RoleName=ROLE, PolicyArn="arn:aws:iam::aws:policy/AdministratorAccess")

    def credential(self, endpoint: str | None = None, **inputs: Any) -> Credential:
        """The credential type of extensions/awx, with the keys of a user who assumes the role that deploys."""
        filled = {
            "region": runs.REGION,
            "role_arn": f"arn:aws:iam::000000000000:role/{ROLE}",
            **self.keys,
            "endpoint_url": endpoint or self.aws.endpoint,
        }
        return Credential(self.definitions.credential_type("SM2A AWS")["injectors"], {**filled, **inputs})

    def launch(
        self,
        template: str,
        answers: Mapping[str, Any] | None = None,
        *,
        credential: Credential | None = None,
        when: Callable[[Mapping[str, Any], Callable[[], None]], None] | None = None,
        **prompts: Any,
    ) -> JobRun:
        """Run a template; ``answers`` are those of its survey, ``prompts`` other fields of Job."""
        chosen = self.definitions.template(template)
        number = next(self.numbers)
        own = chosen.get("extra_vars") or {}
        given = {**own, **self.definitions.survey_defaults(chosen), **(answers or {}), **meta_variables(number, chosen)}
        job = Job(
            number=number,
            playbook=chosen["playbook"],
            credentials=[credential or self.credential()],
            extra_vars=given,
            trusted=own,
            **{
                "inventory": self.inventory,
                "limit": ENVIRONMENT,
                "check": chosen["job_type"] == "check",
                "diff": bool(chosen.get("diff_mode")),
                "timeout": int(chosen.get("timeout") or 0),
                **prompts,
            },
        )
        return self.controller.run(job, when)


def meta_variables(number: int, template: Mapping[str, Any]) -> dict[str, Any]:
    """What the controller adds to the variables of every job, under two names each."""
    known = {
        "job_id": number,
        "job_launch_type": "manual",
        "user_id": 7,
        "user_name": "olivia",
        "user_email": "olivia@example.com",
        "user_first_name": "Olivia",
        "user_last_name": "",
        "inventory_id": 1,
        "inventory_name": "SM2A environments",
        "project_revision": "0" * 40,
        "project_scm_branch": "main",
        "job_template_id": 11,
        "job_template_name": template["name"],
    }
    return {f"{prefix}_{name}": value for prefix in ("awx", "tower") for name, value in known.items()}


def with_variables(inventory: Mapping[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
    """The inventory with more variables of the group sm2a."""
    group = inventory["sm2a"]
    return {**inventory, "sm2a": {**group, "vars": {**group.get("vars", {}), **variables}}}


def holder(aws: runs.ControlPlane) -> dict[str, Any] | None:
    """The lock of the environment as S3 has it."""
    s3 = aws.client("s3")
    try:
        found = s3.get_object(Bucket=f"{ENVIRONMENT}-run-lock-000000000000", Key="run-lock.json")
        return dict(json.loads(found["Body"].read()))
    except (s3.exceptions.NoSuchKey, s3.exceptions.NoSuchBucket):
        return None
