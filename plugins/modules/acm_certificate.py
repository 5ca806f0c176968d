#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright (c) SM2A contributors
# Apache License 2.0 (see LICENSE or https://www.apache.org/licenses/LICENSE-2.0)

from __future__ import annotations

DOCUMENTATION = r"""
---
module: acm_certificate
version_added: 0.1.0
short_description: Manage an imported certificate in AWS Certificate Manager
description:
  - Imports a certificate into AWS Certificate Manager (ACM), either one that the module makes and signs with its own
    key, or one from PEM files. A renewed certificate keeps its ARN, so listeners need no change.
  - The private key of a self-signed certificate is made in memory, sent to ACM and forgotten. It is never returned.
  - The certificate is found again by its Name tag.
author:
  - SM2A contributors (@sm2a)
requirements:
  - cryptography >= 42
options:
  name:
    description:
      - Name tag of the certificate.
    type: str
    required: true
  source:
    description:
      - V(self_signed) makes a certificate for O(domain_names); browsers warn about it.
      - V(import) takes the files of O(certificate_file), O(private_key_file) and O(chain_file).
    type: str
    choices: [self_signed, import]
    default: self_signed
  domain_names:
    description:
      - DNS names or IP addresses of a self-signed certificate. Required when O(source=self_signed).
    type: list
    elements: str
  valid_days:
    description:
      - Days that a new self-signed certificate is valid.
    type: int
    default: 365
  renew_before_days:
    description:
      - A self-signed certificate with fewer days left is renewed; an imported one gives a warning.
    type: int
    default: 30
  certificate_file:
    description:
      - PEM file of the certificate on the machine that runs the module. Required when O(source=import).
    type: path
  private_key_file:
    description:
      - PEM file of its private key, not encrypted. Required when O(source=import).
    type: path
  chain_file:
    description:
      - PEM file of the intermediate certificates.
    type: path
  state:
    description:
      - Whether the certificate exists. One that a listener uses cannot be removed.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: A certificate for a trial environment
  sm2a.airflow.acm_certificate:
    name: staging
    domain_names: [airflow.staging.example.com]

- name: A certificate of the company's authority
  sm2a.airflow.acm_certificate:
    name: production
    source: import
    certificate_file: files/airflow.pem
    private_key_file: files/airflow.key
    chain_file: files/chain.pem
"""

RETURN = r"""
certificate:
  description: The certificate; empty when absent.
  returned: always
  type: dict
  contains:
    certificate_arn:
      description: Its ARN; made of zeros in check mode when it is to be created.
      type: str
      returned: when present
    domain_names:
      description: Names that it is valid for.
      type: list
      elements: str
      returned: when present
    valid_until:
      description: Day on which it expires.
      type: str
      returned: when present
      sample: "2027-01-31"
    self_signed:
      description: Whether it is signed with its own key.
      type: bool
      returned: when present
    tags:
      description: Its tags.
      type: dict
      returned: when present
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.retries import AWSRetry
from ansible_collections.amazon.aws.plugins.module_utils.tagging import (
    ansible_dict_to_boto3_tag_list,
    boto3_tag_list_to_ansible_dict,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    Outcome,
    TagChange,
    call,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.certificates import (
    HAS_CRYPTOGRAPHY,
    ONE_DAY,
    CertificateError,
    Facts,
    Material,
    check_material,
    now,
    read_certificate,
    self_signed,
)

# Without this filter ACM lists RSA keys only.
KEY_TYPES = ["RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]
# A listener that was just deleted still counts as a user for a minute or two.
IN_USE_RETRIES = 15
# Identifier, in check mode, of a certificate that is to be created.
UNMADE = "00000000-0000-0000-0000-000000000000"


@call("list certificates")
def list_arns(acm: Any) -> list[str]:
    pages = acm.get_paginator("list_certificates").paginate(Includes={"keyTypes": KEY_TYPES})
    return [one["CertificateArn"] for one in pages.build_full_result()["CertificateSummaryList"]]


@call("list the tags of a certificate", missing=("ResourceNotFoundException",), default={})
def tags_of(acm: Any, arn: str) -> dict[str, str]:
    return dict(boto3_tag_list_to_ansible_dict(acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]))


@call("read the certificate")
def get_certificate(acm: Any, arn: str) -> tuple[str, str]:
    """The PEM texts of the certificate and its chain ("" when it has none)."""
    answer = acm.get_certificate(CertificateArn=arn)
    return str(answer["Certificate"]), str(answer.get("CertificateChain") or "")


@call("import the certificate")
def import_certificate(acm: Any, material: Material, arn: str | None, tags: dict[str, str]) -> str:
    """Import as a new certificate with ``tags``, or in place of ``arn``."""
    request: dict[str, Any] = {
        "Certificate": material.certificate.encode(),
        "PrivateKey": material.private_key.encode(),
    }
    if material.chain:
        request["CertificateChain"] = material.chain.encode()
    if arn:
        request["CertificateArn"] = arn
    else:
        request["Tags"] = ansible_dict_to_boto3_tag_list(tags)
    return str(acm.import_certificate(**request)["CertificateArn"])


@call("change the tags of the certificate")
def write_tags(acm: Any, arn: str, change: TagChange) -> None:
    if change.remove:
        acm.remove_tags_from_certificate(CertificateArn=arn, Tags=[{"Key": key} for key in change.remove])
    if change.set:
        acm.add_tags_to_certificate(CertificateArn=arn, Tags=ansible_dict_to_boto3_tag_list(change.set))


@call("read who uses the certificate")
def users_of(acm: Any, arn: str) -> list[str]:
    return list(acm.describe_certificate(CertificateArn=arn)["Certificate"].get("InUseBy", []))


@call("delete the certificate", missing=("ResourceNotFoundException",), default=True)
def delete_certificate(acm: Any, arn: str) -> bool:
    """Delete, waiting for users that are on their way out; False when it stays in use."""
    retry = AWSRetry.jittered_backoff(
        retries=IN_USE_RETRIES, delay=2, max_delay=15, catch_extra_error_codes=["ResourceInUseException"]
    )
    try:
        retry(acm.delete_certificate)(CertificateArn=arn)
    except acm.exceptions.ResourceInUseException:
        return False
    return True


def find(acm: Any, name: str) -> tuple[str, dict[str, str]] | None:
    """ARN and tags of the certificate with this Name tag; AnsibleAWSError when there are two."""
    tagged = [(arn, tags_of(acm, arn)) for arn in list_arns(acm)]
    found = [(arn, tags) for arn, tags in tagged if tags.get("Name") == name]
    if len(found) > 1:
        arns = ", ".join(arn for arn, _tags in found)
        raise AnsibleAWSError(message=f"{len(found)} certificates are named {name} ({arns}): delete all but one")
    return found[0] if found else None


def load_files(params: dict[str, Any]) -> Material:
    """The material of ``source: import``; CertificateError when a file cannot be read or does not fit."""
    texts = {}
    for option in ("certificate_file", "private_key_file", "chain_file"):
        try:
            texts[option] = Path(params[option]).read_text() if params[option] else ""
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "not a text file"
            raise CertificateError(f"Cannot read {option} {params[option]}: {reason}") from None
    return Material(texts["certificate_file"], texts["private_key_file"], texts["chain_file"])


def replacement(params: dict[str, Any], current: tuple[str, str] | None) -> tuple[Facts, Material | None] | None:
    """What has to be imported: the facts it will have, and the material (None: to be made); None when all is well.

    ``current`` is the certificate and chain that ACM holds.
    """
    held = read_certificate(current[0]) if current else None
    if params["source"] == "import":
        material = load_files(params)
        facts = check_material(material)
        same = held and current and held.fingerprint == facts.fingerprint
        if same and current and current[1].split() == material.chain.split():
            return None
        return facts, material
    names = params["domain_names"]
    if held and held.self_signed and held.domain_names == names and held.days_left() >= params["renew_before_days"]:
        return None
    return Facts(names, now() + params["valid_days"] * ONE_DAY, True, ""), None


def view(arn: str, facts: Facts, tags: dict[str, str]) -> dict[str, Any]:
    """A certificate for the result and the diff; ``fingerprint`` shows an exchange that keeps names and dates."""
    return {
        "certificate_arn": arn,
        "domain_names": facts.domain_names,
        "valid_until": f"{facts.not_after:%Y-%m-%d}",
        "self_signed": facts.self_signed,
        "fingerprint": facts.fingerprint or "new",
        "tags": tags,
    }


def ensure_present(acm: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Import what is missing, outdated or different, and bring the tags in order."""
    name, found = params["name"], find(acm, params["name"])
    arn, tags = found or (f"arn:aws:acm:{acm.meta.region_name}:000000000000:certificate/{UNMADE}", {})
    wanted = {**(params["tags"] or {}), "Name": name} if params["tags"] is not None or not found else None
    change = tag_change(tags, wanted, params["purge_tags"])
    current = get_certificate(acm, arn) if found else None
    before = view(arn, read_certificate(current[0]), tags) if current else {}
    new = replacement(params, current)
    if new is None:
        if change and not check_mode:
            write_tags(acm, arn, change)
        return Outcome(bool(change), before, {**before, "tags": change.result})
    facts, material = new
    if not check_mode:
        material = material or self_signed(params["domain_names"], params["valid_days"])
        arn = import_certificate(acm, material, arn if found else None, change.result)
        facts = read_certificate(material.certificate)
        if found and change:
            write_tags(acm, arn, change)
    return Outcome(True, before, view(arn, facts, change.result))


def ensure_absent(acm: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Delete the certificate; AnsibleAWSError when it stays in use."""
    name, found = params["name"], find(acm, params["name"])
    if not found:
        return Outcome(False)
    arn, tags = found
    before = view(arn, read_certificate(get_certificate(acm, arn)[0]), tags)
    if not check_mode and not delete_certificate(acm, arn):
        users = ", ".join(users_of(acm, arn))
        raise AnsibleAWSError(message=f"Certificate {name} is used by {users}: remove its listeners first")
    return Outcome(True, before, {})


def warn_about_expiry(module: Any, outcome: Outcome) -> None:
    """An imported certificate cannot be renewed from here: say so in time."""
    soon = f"{now() + module.params['renew_before_days'] * ONE_DAY:%Y-%m-%d}"
    if module.params["source"] == "import" and outcome.after.get("valid_until", soon) < soon:
        module.warn(f"Certificate {module.params['name']} expires on {outcome.after['valid_until']}: import a new one")


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "source": {"type": "str", "choices": ["self_signed", "import"], "default": "self_signed"},
            "domain_names": {"type": "list", "elements": "str"},
            "valid_days": {"type": "int", "default": 365},
            "renew_before_days": {"type": "int", "default": 30},
            "certificate_file": {"type": "path"},
            "private_key_file": {"type": "path", "no_log": False},
            "chain_file": {"type": "path"},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        required_if=[("source", "import", ("certificate_file", "private_key_file"))],
        supports_check_mode=True,
    )
    params = module.params
    if not HAS_CRYPTOGRAPHY:
        module.fail_json(msg=missing_required_lib("cryptography"))
    if params["state"] == "present" and params["source"] == "self_signed":
        if not params["domain_names"]:
            module.fail_json(msg="domain_names is required when state is present and source is self_signed")
        if params["valid_days"] <= params["renew_before_days"]:
            module.fail_json(msg="valid_days must be greater than renew_before_days, or every run would renew")
    acm = client(module, "acm")
    ensure = ensure_present if params["state"] == "present" else ensure_absent

    def work() -> dict[str, Any]:
        outcome = ensure(acm, params, module.check_mode)
        warn_about_expiry(module, outcome)
        return outcome.result("certificate")

    try:
        exit_with(module, work)
    except CertificateError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
