# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""s3_bucket against the emulator."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.sm2a.airflow.plugins.module_utils.s3 import buckets as api
from ansible_collections.sm2a.airflow.plugins.module_utils.s3 import lifecycle as s3_lifecycle
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.unit.plugins.lost_replies import lose_replies
from botocore.exceptions import ClientError

Aws = Callable[[str], Any]
KEY = "arn:aws:kms:eu-west-1:000000000000:key/1"
RULE = {
    "id": "logs",
    "expiration_in_days": 90,
    "noncurrent_version_expiration_in_days": 7,
    "abort_incomplete_multipart_upload_in_days": 1,
}


def policy(name: str) -> dict[str, Any]:
    """A policy that denies calls without TLS."""
    return support.deny_without_tls("s3:*", [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"])


def full(name: str) -> dict[str, Any]:
    """A bucket with every option."""
    return {
        "name": name,
        "block_public_access": True,
        "object_ownership": "BucketOwnerEnforced",
        "encryption": {"algorithm": "aws:kms", "kms_key_id": KEY},
        "versioning": True,
        "policy": policy(name),
        "lifecycle_rules": [RULE],
        "logging": {"target_bucket": f"{name}-access-logs", "target_prefix": "s3/"},
        "tags": {"team": "data"},
    }


def put(aws: Aws, name: str, key: str = "log.txt") -> None:
    """Put an object into the bucket."""
    aws("s3").put_object(Bucket=name, Key=key, Body=b"line")


def test_ladder(ladder: Callable[..., support.Ladder], aws: Aws, unique_name: str) -> None:
    absent = {"name": unique_name, "state": "absent"}
    rungs = ladder("s3_bucket", full(unique_name), absent, lambda: api.read_bucket(aws("s3"), unique_name))

    real = {
        **full(unique_name),
        "lifecycle_rules": [{"prefix": "", "expired_object_delete_marker": False, **RULE}],
        "encryption": {"algorithm": "aws:kms", "kms_key_id": KEY, "bucket_key_enabled": True},
        "arn": f"arn:aws:s3:::{unique_name}",
    }
    assert rungs.predicted["bucket"] == rungs.applied["bucket"] == real
    assert rungs.predicted["diff"] == rungs.applied["diff"]


def test_a_key_may_be_named_by_its_id(run_module: support.RunModule, unique_name: str) -> None:
    run_module("s3_bucket", full(unique_name))
    by_id = {"name": unique_name, "encryption": {"algorithm": "aws:kms", "kms_key_id": "1"}}
    assert not run_module("s3_bucket", by_id)["changed"]


def test_blocked_encryption_types_stay_blocked() -> None:
    written: list[Any] = []

    class S3:
        def get_bucket_encryption(self, **_: Any) -> Any:
            default = {"SSEAlgorithm": "AES256"}
            rule = {
                "ApplyServerSideEncryptionByDefault": default,
                "BlockedEncryptionTypes": {"EncryptionType": ["SSE-C"]},
            }
            return {"ServerSideEncryptionConfiguration": {"Rules": [rule]}}

        def put_bucket_encryption(self, **arguments: Any) -> None:
            written.extend(arguments["ServerSideEncryptionConfiguration"]["Rules"])

    api.write_encryption(S3(), "logs", api.encryption("aws:kms", KEY, True))
    assert written[0]["BlockedEncryptionTypes"] == {"EncryptionType": ["SSE-C"]}
    assert written[0]["ApplyServerSideEncryptionByDefault"]["KMSMasterKeyID"] == KEY


def test_a_lost_reply_to_creation_is_survived(
    run_module: support.RunModule, aws: Aws, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    lost = lose_replies(
        monkeypatch, f"PUT  http://127.0.0.1:{aws('s3').meta.endpoint_url.rpartition(':')[2]}/{unique_name}"
    )
    assert run_module("s3_bucket", full(unique_name))["changed"]
    assert len(lost) == 1
    assert not run_module("s3_bucket", full(unique_name))["changed"]


@pytest.mark.parametrize(("operation", "code"), [("head_bucket", "403"), ("create_bucket", "BucketAlreadyExists")])
def test_a_bucket_of_somebody_else_is_named(operation: str, code: str) -> None:
    class S3:
        def __getattr__(self, _name: str) -> Any:
            def refuse(**_: Any) -> None:
                raise ClientError({"Error": {"Code": code}}, operation)

            return refuse

    with pytest.raises(AnsibleAWSError, match="Bucket taken belongs to another account"):
        if operation == "head_bucket":
            api.bucket_exists(S3(), "taken")
        else:
            api.create_bucket(S3(), "taken", "eu-west-1")


def test_the_bucket_is_in_the_region_of_the_task(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("s3_bucket", {"name": unique_name})
    assert aws("s3").get_bucket_location(Bucket=unique_name)["LocationConstraint"] == support.REGION


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("block_public_access", False),
        ("object_ownership", "ObjectWriter"),
        ("encryption", {"algorithm": "aws:kms", "kms_key_id": "arn:aws:kms:eu-west-1:000000000000:key/2"}),
        ("encryption", {"algorithm": "aws:kms", "kms_key_id": KEY, "bucket_key_enabled": False}),
        ("encryption", {"algorithm": "AES256"}),
        ("logging", {"target_bucket": "elsewhere"}),
        ("logging", {}),
        ("versioning", False),
        ("policy", {}),
        ("lifecycle_rules", []),
        ("lifecycle_rules", [{"id": "new", "prefix": "airflow/", "expiration_in_days": 3}, RULE]),
        ("lifecycle_rules", [{"id": "versions", "expired_object_delete_marker": True}]),
        ("tags", {"team": "platform"}),
        ("tags", {}),
    ],
)
def test_every_option_is_changed_once(
    run_module: support.RunModule, aws: Aws, unique_name: str, *, option: str, value: Any
) -> None:
    run_module("s3_bucket", full(unique_name))
    before = api.read_bucket(aws("s3"), unique_name)
    change = {"name": unique_name, option: value}
    support.change_once(run_module, "s3_bucket", change, lambda: api.read_bucket(aws("s3"), unique_name))
    now, then = api.read_bucket(aws("s3"), unique_name) or {}, before or {}
    assert {key for key in now if now[key] != then[key]} == {option}


def test_policy_is_compared_by_meaning(run_module: support.RunModule, unique_name: str) -> None:
    run_module("s3_bucket", full(unique_name))
    same = policy(unique_name)
    same["Statement"][0]["Resource"].reverse()
    assert not run_module("s3_bucket", {"name": unique_name, "policy": json.dumps(same)})["changed"]


def test_rules_set_elsewhere_are_replaced(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    """A rule with what the option cannot express differs from every wanted rule."""
    run_module("s3_bucket", full(unique_name))
    transition = {**s3_lifecycle.api_rule(RULE), "Transitions": [{"Days": 30, "StorageClass": "GLACIER"}]}
    aws("s3").put_bucket_lifecycle_configuration(Bucket=unique_name, LifecycleConfiguration={"Rules": [transition]})
    assert run_module("s3_bucket", full(unique_name))["changed"]
    assert not run_module("s3_bucket", full(unique_name))["changed"]


def test_a_bucket_with_objects_is_not_deleted(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("s3_bucket", full(unique_name))
    put(aws, unique_name)
    for check in (True, False):
        with pytest.raises(support.ModuleFailedError, match="is not empty"):
            run_module("s3_bucket", {"name": unique_name, "state": "absent"}, check=check)
        kept = run_module("s3_bucket", {"name": unique_name, "state": "absent", "when_not_empty": "keep"}, check=check)
        assert not kept["changed"]
        assert kept["bucket"]["name"] == unique_name
        assert f"Bucket {unique_name} is not empty and was kept" in json.dumps(kept["warnings"])
    assert aws("s3").get_object(Bucket=unique_name, Key="log.txt")["Body"].read() == b"line"


def test_old_versions_count_as_contents(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("s3_bucket", full(unique_name))
    put(aws, unique_name)
    aws("s3").delete_object(Bucket=unique_name, Key="log.txt")
    with pytest.raises(support.ModuleFailedError, match="is not empty"):
        run_module("s3_bucket", {"name": unique_name, "state": "absent"})


def test_purge_destroys_every_version(run_module: support.RunModule, aws: Aws, unique_name: str) -> None:
    run_module("s3_bucket", full(unique_name))
    for key in ("a", "a", "b", "c"):
        put(aws, unique_name, key)
    aws("s3").delete_object(Bucket=unique_name, Key="c")
    purge = {"name": unique_name, "state": "absent", "when_not_empty": "purge"}
    assert run_module("s3_bucket", purge, check=True)["changed"]
    assert aws("s3").get_object(Bucket=unique_name, Key="a")
    assert run_module("s3_bucket", purge)["changed"]
    assert api.read_bucket(aws("s3"), unique_name) is None
    assert not run_module("s3_bucket", purge)["changed"]


def test_purge_goes_on_while_logs_arrive(
    run_module: support.RunModule, aws: Aws, unique_name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """AWS delivers access logs late: the first emptying is not the last."""
    run_module("s3_bucket", full(unique_name))
    put(aws, unique_name)
    real, late = api.purge, ["late.txt"]

    def purge(s3: Any, name: str) -> None:
        real(s3, name)
        if late:
            put(aws, name, late.pop())

    monkeypatch.setattr(api, "purge", purge)
    assert run_module("s3_bucket", {"name": unique_name, "state": "absent", "when_not_empty": "purge"})["changed"]
    assert api.read_bucket(aws("s3"), unique_name) is None
