# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The table fits AWS's models of its services, what the modules call, and what a deployment may do."""

from __future__ import annotations

import functools
import re
from typing import Any

import botocore.session
import jmespath
import pytest
import yaml
from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.model import Create, Late, Look
from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.table import CREATES
from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from botocore import xform_name

LATE = [(create, late) for create in CREATES for late in create.late]
LOOKS = [(create, create.look) for create in CREATES if create.look]
# Calls of the collection that make something: a client and a method.
CLIENTS = "acm|client|cloud_map|cloudwatch|ec2|ecr|ecs|elbv2|iam|kms|logs|rds|route53|s3|sns|sqs|wafv2"
MAKES = re.compile(rf"\b(?:{CLIENTS})\.((?:allocate|create|import|register|request|restore|run)_\w+)\b")
# Parts of something, which are listed with it and asked for by no name; and a secret that was there all the time.
OTHERS = {"create_network_acl_entry", "create_route", "create_tags", "restore_secret"}
SOURCES = re.compile(r"https://(docs\.aws\.amazon\.com|github\.com)/\S+")


@functools.cache
def operations(service: str) -> Any:
    """botocore's model of a service."""
    return botocore.session.get_session().get_service_model(service)


def members(service: str, operation: str) -> set[str]:
    """Names of the parameters of an operation."""
    shape = operations(service).operation_model(operation).input_shape
    return set(shape.members) if shape else set()


def name_of(create: Create) -> str:
    return f"{create.service}:{create.operation}"


@pytest.mark.parametrize("create", [create for create in CREATES if not create.by_service], ids=name_of)
def test_the_modules_make_it(create: Create) -> None:
    """Each create is a call of the collection."""
    method = re.compile(rf"\.{xform_name(create.operation)}\b")
    files = [*(PROJECT / "plugins/module_utils").rglob("*.py"), *(PROJECT / "plugins/modules").glob("*.py")]
    assert any(method.search(file.read_text(encoding="utf-8")) for file in files)
    assert jmespath.compile(create.names)


def test_every_create_of_the_modules_is_in_the_table() -> None:
    """A new one has to be thought of: what may the next call not know?"""
    files = [*(PROJECT / "plugins/module_utils").rglob("*.py"), *(PROJECT / "plugins/modules").glob("*.py")]
    called = {method for file in files for method in MAKES.findall(file.read_text(encoding="utf-8"))}
    # A module of that name.
    called.discard("run_record")
    assert len(called) > 25
    assert called - {xform_name(create.operation) for create in CREATES} == OTHERS


@pytest.mark.parametrize(
    ("create", "late"), LATE, ids=lambda one: getattr(one, "operation", getattr(one, "service", ""))
)
def test_it_is_about_calls_that_there_are(create: Create, late: Late) -> None:
    about = [name for name in operations(late.service).operation_names if late.fits(name)]
    assert about
    assert bool(late.codes) != bool(late.missing)
    assert not [name for name in about if name.startswith("Delete")]
    named = set(re.findall(r"\w+", late.named))
    assert all(any(one in members(late.service, name) for name in about) for one in named)
    # A call is told what is late by a name of its own, by an identifier of AWS, or by words that mean nothing else.
    assert late.named or late.missing or late.always or create.pattern
    assert SOURCES.fullmatch(late.source)


@pytest.mark.parametrize(("create", "look"), LOOKS, ids=lambda one: getattr(one, "operation", ""))
def test_a_deployment_may_look(create: Create, look: Look) -> None:
    """Each look is a call that there is, and that docs/permissions.yml allows: otherwise nobody could wait for it."""
    assert {member for member, _path in look.parameters} <= members(look.service, look.operation)
    permissions = yaml.safe_load((PROJECT / "docs/permissions.yml").read_text(encoding="utf-8"))
    allowed = {action for part in permissions.values() for one in part for action in one.get("actions", [])}
    renamed = {"s3:HeadBucket": "s3:ListBucket"}
    prefix = {"elbv2": "elasticloadbalancing"}.get(look.service, look.service)
    action = f"{prefix}:{look.operation}"
    assert renamed.get(action, action) in allowed
