# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Amazon ECR: one function per API call, and the shape of a repository URI."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    from botocore.exceptions import ClientError

from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import call
from ansible_collections.sm2a.airflow.plugins.module_utils.common.create_once import create_once
from ansible_collections.sm2a.airflow.plugins.module_utils.common.partitions import ANY_DOMAIN, domain_of

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
DOCKER_LIST = "application/vnd.docker.distribution.manifest.list.v2+json"
ALREADY_THERE = ("ImageAlreadyExistsException",)
NO_REPOSITORY = ("RepositoryNotFoundException",)
NO_POLICY = ("LifecyclePolicyNotFoundException", *NO_REPOSITORY)
REPOSITORY_URI = re.compile(
    rf"^(?P<registry>(?P<account>\d{{12}})\.dkr[.-]ecr(-fips)?\.[a-z0-9-]+\.({ANY_DOMAIN}|on\.aws))/(?P<name>.+)$"
)


@dataclass(frozen=True)
class RepositoryUri:
    """The parts of ``<account>.dkr.ecr.<region>.amazonaws.com/<name>``; ``registry`` is all before the slash."""

    registry: str
    account: str
    name: str


def parse_repository_uri(uri: str) -> RepositoryUri | None:
    """The parts of an ECR repository's URI; None for any other image name."""
    match = REPOSITORY_URI.match(uri)
    return RepositoryUri(match["registry"], match["account"], match["name"]) if match else None


@call("describe the ECR repository", missing=NO_REPOSITORY)
def describe_repository(ecr: Any, name: str) -> dict[str, Any] | None:
    """The repository as AWS returns it, or None."""
    repository: dict[str, Any] = ecr.describe_repositories(repositoryNames=[name])["repositories"][0]
    return repository


@call("create the ECR repository")
def create_repository(ecr: Any, request: dict[str, Any]) -> dict[str, Any]:
    """The new repository as AWS returns it; one that a lost reply left behind is taken."""
    return create_once(
        ecr,
        lambda: ecr.create_repository(**request)["repository"],
        lambda: describe_repository(ecr, request["repositoryName"]),
        ("RepositoryAlreadyExistsException",),
    )


@call("delete the ECR repository", missing=NO_REPOSITORY)
def delete_repository(ecr: Any, name: str, force: bool) -> None:
    """Delete it; with ``force`` its images as well."""
    ecr.delete_repository(repositoryName=name, force=force)


@call("list the images of the ECR repository", missing=NO_REPOSITORY, default=False)
def holds_images(ecr: Any, name: str) -> bool:
    """Whether the repository has at least one image."""
    return bool(ecr.list_images(repositoryName=name, maxResults=1)["imageIds"])


@call("count the images of the ECR repository", missing=NO_REPOSITORY, default=(0, False))
def count_images(ecr: Any, name: str) -> tuple[int, bool]:
    """How many images are on the first page (1000 tags and untagged images), and whether there are more pages."""
    page = ecr.list_images(repositoryName=name, maxResults=1000)
    return len({image["imageDigest"] for image in page["imageIds"]}), bool(page.get("nextToken"))


@call("set the tag mutability of the ECR repository")
def put_mutability(ecr: Any, name: str, mutability: str) -> None:
    """``MUTABLE`` or ``IMMUTABLE``."""
    ecr.put_image_tag_mutability(repositoryName=name, imageTagMutability=mutability)


@call("set the image scanning of the ECR repository")
def put_scanning(ecr: Any, name: str, scan_on_push: bool) -> None:
    """Switch scanning on push on or off."""
    ecr.put_image_scanning_configuration(repositoryName=name, imageScanningConfiguration={"scanOnPush": scan_on_push})


@call("read the lifecycle policy of the ECR repository", missing=NO_POLICY, default={})
def lifecycle_policy(ecr: Any, name: str) -> dict[str, Any]:
    """The policy document, ``{}`` when there is none."""
    policy: dict[str, Any] = json.loads(ecr.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"])
    return policy


@call("set the lifecycle policy of the ECR repository")
def put_lifecycle_policy(ecr: Any, name: str, policy: dict[str, Any]) -> None:
    """Replace the policy document; ``{}`` removes it."""
    if policy:
        ecr.put_lifecycle_policy(repositoryName=name, lifecyclePolicyText=json.dumps(policy))
    else:
        ecr.delete_lifecycle_policy(repositoryName=name)


@call("read the tags of the ECR repository")
def repository_tags(ecr: Any, arn: str) -> dict[str, str]:
    """Tags by key."""
    tags: dict[str, str] = boto3_tag_list_to_ansible_dict(ecr.list_tags_for_resource(resourceArn=arn)["tags"])
    return tags


@call("tag the ECR repository")
def change_tags(ecr: Any, arn: str, to_set: dict[str, str], to_remove: list[str]) -> None:
    """Set and remove tags."""
    if to_set:
        ecr.tag_resource(resourceArn=arn, tags=ansible_dict_to_boto3_tag_list(to_set))
    if to_remove:
        ecr.untag_resource(resourceArn=arn, tagKeys=to_remove)


@call("look for the image in ECR", missing=("ImageNotFoundException", *NO_REPOSITORY), default="")
def image_digest(ecr: Any, repository: RepositoryUri, tag: str) -> str:
    """Digest that the registry knows ``tag`` by, ``""`` when there is no such image or repository."""
    found = ecr.describe_images(
        registryId=repository.account, repositoryName=repository.name, imageIds=[{"imageTag": tag}]
    )["imageDetails"]
    return str(found[0]["imageDigest"]) if found else ""


@call("read an image's manifest from ECR")
def image_manifest(ecr: Any, repository: RepositoryUri, tag: str) -> dict[str, Any]:
    """``digest``, ``mediaType`` and ``size`` (bytes of the manifest), as an image index wants them."""
    answer = ecr.batch_get_image(
        registryId=repository.account, repositoryName=repository.name, imageIds=[{"imageTag": tag}]
    )
    image = answer["images"][0]
    manifest = image["imageManifest"]
    media_type = image.get("imageManifestMediaType") or json.loads(manifest).get("mediaType") or OCI_MANIFEST
    return {"mediaType": media_type, "digest": image["imageId"]["imageDigest"], "size": len(manifest.encode())}


@call("put an image index into ECR")
def put_index(ecr: Any, repository: RepositoryUri, tag: str, index: dict[str, Any]) -> str:
    """Tag an index of several images, and return its digest; one that is there already is taken."""
    place = {"registryId": repository.account, "repositoryName": repository.name}
    request = {
        "imageManifest": json.dumps(index, sort_keys=True),
        "imageManifestMediaType": index["mediaType"],
        "imageTag": tag,
    }
    try:
        return create_once(
            ecr,
            lambda: str(ecr.put_image(**place, **request)["image"]["imageId"]["imageDigest"]),
            lambda: image_digest(ecr, repository, tag) or None,
            ALREADY_THERE,
        )
    except ClientError as error:
        if error.response["Error"]["Code"] not in ALREADY_THERE:
            raise
        return str(image_digest(ecr, repository, tag))


def index_of(manifests: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    """The index of images by platform (``linux/arm64``); each is what ``image_manifest`` returned."""
    oci = all(manifest["mediaType"] == OCI_MANIFEST for manifest in manifests.values())
    return {
        "schemaVersion": 2,
        "mediaType": OCI_INDEX if oci else DOCKER_LIST,
        "manifests": [{**manifests[name], "platform": _platform(name)} for name in sorted(manifests)],
    }


def _platform(name: str) -> dict[str, str]:
    system, architecture, *variant = name.split("/")
    return {"os": system, "architecture": architecture, **({"variant": variant[0]} if variant else {})}


@call("get a login for ECR")
def authorization_token(ecr: Any) -> str:
    """Base64 of ``AWS:<password>``, good for twelve hours. A secret."""
    return str(ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"])


@call("ask AWS whose credentials these are")
def caller(sts: Any) -> dict[str, Any]:
    """``Account`` and ``Arn`` of the credentials."""
    identity: dict[str, Any] = sts.get_caller_identity()
    return identity


def view(repository: Mapping[str, Any], policy: Mapping[str, Any], tags: Mapping[str, Any]) -> dict[str, Any]:
    """The repository as modules return it."""
    return {
        "name": repository["repositoryName"],
        "uri": repository["repositoryUri"],
        "arn": repository["repositoryArn"],
        "image_tag_mutability": repository.get("imageTagMutability", "MUTABLE"),
        "scan_on_push": (repository.get("imageScanningConfiguration") or {}).get("scanOnPush", False),
        "kms_key": (repository.get("encryptionConfiguration") or {}).get("kmsKey", ""),
        "lifecycle_policy": dict(policy),
        "tags": dict(tags),
    }


def read_repository(ecr: Any, name: str) -> dict[str, Any] | None:
    """The repository as it is, or None."""
    repository = describe_repository(ecr, name)
    if repository is None:
        return None
    return view(repository, lifecycle_policy(ecr, name), repository_tags(ecr, repository["repositoryArn"]))


def new_repository(sts: Any, region: str, name: str) -> dict[str, str]:
    """URI and ARN that AWS will give to a new repository, in its own names for them."""
    account = caller(sts)
    partition = account["Arn"].split(":")[1]
    return {
        "repositoryUri": f"{account['Account']}.dkr.ecr.{region}.{domain_of(partition)}/{name}",
        "repositoryArn": f"arn:{partition}:ecr:{region}:{account['Account']}:repository/{name}",
    }
