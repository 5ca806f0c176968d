# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Creates whose reply is lost and that the fault tests of whole environments (tests/faults) do not make."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils import ecr as api
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.proxy import FaultProxy, fault_proxy
from ansible_collections.sm2a.airflow.tests.support.fault_proxy.rules import Rule

INDEX = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": []}


@pytest.fixture
def faults(aws_endpoint: str) -> Iterator[FaultProxy]:
    """A proxy that loses the first reply to each kind of change."""
    with fault_proxy(aws_endpoint) as proxy:
        proxy.book.set([Rule("lost", action="(?!Describe|Get|Head|List|BatchGet).*", calls=1, each_action=True)])
        yield proxy


def test_an_image_repository(
    run_module: support.RunModule, faults: FaultProxy, aws: Callable[[str], Any], unique_name: str
) -> None:
    arguments = {"names": [unique_name], "scan_on_push": True, "endpoint_url": faults.endpoint}
    assert run_module("ecr_repository", arguments)["changed"]
    assert ("ecr", "CreateRepository") in faults.book.struck("lost")
    assert not run_module("ecr_repository", arguments)["changed"]
    found = aws("ecr").describe_repositories(repositoryNames=[unique_name])["repositories"]
    assert [repository["repositoryName"] for repository in found] == [unique_name]


def test_an_image_index(faults: FaultProxy, aws: Callable[[str], Any], unique_name: str) -> None:
    ecr = aws("ecr")
    uri = ecr.create_repository(repositoryName=unique_name)["repository"]["repositoryUri"]
    repository = api.parse_repository_uri(uri)
    assert repository
    unlucky = boto3.client("ecr", region_name=support.REGION, endpoint_url=faults.endpoint)
    digest = api.put_index(unlucky, repository, "tag", INDEX)
    assert faults.book.struck("lost") == [("ecr", "PutImage")]
    images = ecr.list_images(repositoryName=unique_name)["imageIds"]
    assert [(image["imageTag"], image["imageDigest"]) for image in images] == [("tag", digest)]


def test_an_imported_certificate(
    run_module: support.RunModule, faults: FaultProxy, aws: Callable[[str], Any], unique_name: str
) -> None:
    domain = f"{unique_name}.example.com"
    arguments = {"name": unique_name, "domain_names": [domain], "endpoint_url": faults.endpoint}
    made = run_module("acm_certificate", arguments)
    assert ("acm", "ImportCertificate") in faults.book.struck("lost")
    acm = aws("acm")
    arns = [one["CertificateArn"] for one in acm.list_certificates()["CertificateSummaryList"]]
    ours = [arn for arn in arns if unique_name in str(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"])]
    assert ours == [made["certificate"]["certificate_arn"]]
