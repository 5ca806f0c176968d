#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: acm_certificate
version_added: 0.1.0
short_description: Manage a certificate in AWS Certificate Manager
description:
  - Imports a certificate into AWS Certificate Manager (ACM), either one that the module makes and signs with its own
    key, or one from PEM files or from a secret of Secrets Manager. A renewed certificate keeps its ARN, so listeners
    need no change.
  - Or requests one that Amazon issues, validates it by CNAME records in Route 53 or by ones that somebody makes by
    hand, and waits until it is issued. ACM renews it by itself as long as the records stay. As ACM cannot change its
    names, other names mean a new certificate with a new ARN; the earlier one stays until it is removed with
    O(state=absent) and O(except_arn).
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
      - V(import) takes the files of O(certificate_file), O(private_key_file) and O(chain_file), or
        O(certificate_secret).
      - V(request) asks ACM for one. With O(dns=route53) it needs a public hosted zone that holds all
        O(domain_names).
    type: str
    choices: [self_signed, import, request]
    default: self_signed
  domain_names:
    description:
      - DNS names or IP addresses of a self-signed certificate, or DNS names of a requested one. Required for both.
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
      - PEM file of the certificate on the machine that runs the module. O(source=import) needs it, or
        O(certificate_secret).
    type: path
  private_key_file:
    description:
      - PEM file of its private key, not encrypted. Goes with O(certificate_file).
    type: path
  chain_file:
    description:
      - PEM file of the intermediate certificates.
    type: path
  certificate_secret:
    description:
      - Name or ARN of a secret whose JSON has the PEM texts C(certificate), C(private_key) and, if there is one,
        C(chain). It is read inside the module only.
    type: str
  dns:
    description:
      - V(route53) writes the records that validate a requested certificate into the hosted zone, and removes them.
      - V(manual) writes none, and says which records somebody has to make or may remove.
    type: str
    choices: [route53, manual]
    default: route53
  hosted_zone_id:
    description:
      - Public hosted zone for the records that validate a requested certificate. With O(state=absent), those records
        are removed from it, except those of other certificates in the Region.
  wait:
    description:
      - Wait until a requested certificate is issued. V(false) requests it and writes, or names, its validation records
        only.
    type: bool
    default: true
  wait_timeout:
    description:
      - Seconds to wait until a requested certificate is issued; V(0) looks once. A run that gives up names the records
        that are missing and leaves the request, which the next run finds.
    type: int
    default: 1800
  except_arn:
    description:
      - With O(state=absent), the certificate to keep of those with the Name tag, as the listener uses it.
    type: str
  state:
    description:
      - Whether the certificate exists. One that a listener uses cannot be removed.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.hosted_zone
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

- name: A certificate that Amazon issues and renews
  sm2a.airflow.acm_certificate:
    name: production
    source: request
    domain_names: [airflow.example.com]
    hosted_zone_name: example.com

- name: One whose records somebody makes by hand
  sm2a.airflow.acm_certificate:
    name: production
    source: request
    dns: manual
    domain_names: [airflow.example.com]
    wait: false
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
      description: Day on which it expires; null in check mode for one to be requested.
      type: str
      returned: when present
      sample: "2027-01-31"
    self_signed:
      description: Whether it is signed with its own key.
      type: bool
      returned: when present
    fingerprint:
      description: SHA-256 fingerprint; V(new) in check mode for one to be made.
      type: str
      returned: when present and imported or self-signed
    chain:
      description: SHA-256 fingerprints of the certificates of its chain.
      type: list
      elements: str
      returned: when present and imported or self-signed
    validation_records:
      description:
        - Values of the CNAMEs by which ACM proves the domains, by their names; all that ACM needs with O(dns=manual).
        - Empty in check mode for a certificate to be requested, as nobody knows them before.
      type: dict
      returned: when present and requested
      sample: {_3f2a.airflow.example.com.: _9c1b.acm-validations.aws.}
    tags:
      description: Its tags.
      type: dict
      returned: when present
orphaned_records:
  description:
    - Values of the CNAMEs that no certificate of the Region needs after the removal, by their names. With O(dns=manual)
      somebody may remove them.
  returned: when state is absent
  type: dict
"""

from typing import Any

from ansible.module_utils.basic import missing_required_lib
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils import route53 as dns
from ansible_collections.sm2a.airflow.plugins.module_utils.acm import api
from ansible_collections.sm2a.airflow.plugins.module_utils.acm.imported_certificate import Clients, replacement, view
from ansible_collections.sm2a.airflow.plugins.module_utils.acm.requested_certificate import (
    Services,
    ensure_requested,
    orphaned_records,
    remove_records,
    validation_records,
    values_by_name,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.acm.requested_certificate import view as requested_view
from ansible_collections.sm2a.airflow.plugins.module_utils.acm.x509 import (
    HAS_CRYPTOGRAPHY,
    ONE_DAY,
    CertificateError,
    now,
    read_certificate,
    self_signed,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.placeholders import ID, placeholder_arn
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome


def view_held(acm: Any, held: api.Held) -> dict[str, Any]:
    """What ACM holds, as ``view`` shows it."""
    if held.imported:
        return view(held.arn, read_certificate(*api.get_certificate(acm, held.arn)), held.tags)
    return requested_view(held.arn, held.detail, validation_records(held.detail), held.tags)


def ensure_present(clients: Clients, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Import or request what is missing, outdated or different, and bring the tags in order."""
    acm, name = clients("acm"), params["name"]
    new_arn = placeholder_arn(acm, f"certificate/{ID}")
    wanted = {**params["tags"], "Name": name} if params["tags"] is not None else None
    if params["source"] == "request":
        services = Services(acm, clients("route53") if params["dns"] == "route53" else None)
        return ensure_requested(services, {**params, "tags": wanted}, new_arn, check_mode)
    found = next((held for held in api.named(acm, name) if held.imported), None)
    arn, tags = (found.arn, found.tags) if found else (new_arn, {})
    change = tag_change(tags, wanted if found else {"Name": name, **(wanted or {})}, params["purge_tags"])
    current = api.get_certificate(acm, arn) if found else None
    before = view(arn, read_certificate(*current), tags) if current else {}
    new = replacement(clients, params, current)
    if new is None:
        if change and not check_mode:
            api.write_tags(acm, arn, change)
        return Outcome(bool(change), before, {**before, "tags": change.result})
    facts, material = new
    if not check_mode:
        material = material or self_signed(params["domain_names"], params["valid_days"])
        arn = api.import_certificate(acm, material, arn if found else None, change.result)
        facts = read_certificate(material.certificate, material.chain)
        if found and change:
            api.write_tags(acm, arn, change)
    return Outcome(True, before, view(arn, facts, change.result))


def ensure_absent(clients: Clients, params: dict[str, Any], check_mode: bool) -> tuple[Outcome, dict[str, str]]:
    """Delete the certificates of that name and the records that validated them; AnsibleAWSError when one is in use.

    Returns the records as well, for whoever made them by hand.
    """
    acm, name = clients("acm"), params["name"]
    doomed = [held for held in api.named(acm, name) if held.arn != params["except_arn"]]
    if not doomed:
        return Outcome(False), {}
    views = [view_held(acm, held) for held in doomed]
    before = views[0] if len(views) == 1 else {"certificates": views}
    # The records first: they are only known as long as the certificate exists.
    orphans = orphaned_records(acm, doomed)
    if not check_mode:
        if has_zone(params) and orphans:
            remove_records(clients("route53"), params, orphans)
        for held in doomed:
            if not api.delete_certificate(acm, held.arn):
                users = ", ".join((api.describe(acm, held.arn) or {}).get("InUseBy", []))
                raise AnsibleAWSError(message=f"Certificate {name} is used by {users}: delete their listeners first")
    return Outcome(True, before, {}), values_by_name(orphans)


def has_zone(params: dict[str, Any]) -> bool:
    """Whether a hosted zone holds the records."""
    return params["dns"] == "route53" and bool(params["hosted_zone_id"] or params["hosted_zone_name"])


def warn_about_expiry(module: Any, outcome: Outcome) -> None:
    """An imported certificate cannot be renewed from here: say so in time."""
    soon = f"{now() + module.params['renew_before_days'] * ONE_DAY:%Y-%m-%d}"
    if module.params["source"] == "import" and outcome.after.get("valid_until", soon) < soon:
        module.warn(f"Certificate {module.params['name']} expires on {outcome.after['valid_until']}: import a new one")


def wrong_options(params: dict[str, Any]) -> str | None:
    """What the options of a certificate that is to be present lack."""
    source = params["source"]
    if source == "import":
        files = params["certificate_file"] and params["private_key_file"]
        return (
            None
            if files or params["certificate_secret"]
            else ("certificate_file and private_key_file, or certificate_secret, are required when source is import")
        )
    if not params["domain_names"]:
        return f"domain_names is required when state is present and source is {source}"
    if source == "request" and params["dns"] == "route53" and not has_zone(params):
        return "hosted_zone_id or hosted_zone_name is required when source is request and dns is route53"
    if source == "self_signed" and params["valid_days"] <= params["renew_before_days"]:
        return "valid_days must be greater than renew_before_days, or every run would renew"
    return None


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "source": {"type": "str", "choices": ["self_signed", "import", "request"], "default": "self_signed"},
            "domain_names": {"type": "list", "elements": "str"},
            "valid_days": {"type": "int", "default": 365},
            "renew_before_days": {"type": "int", "default": 30},
            "certificate_file": {"type": "path"},
            "private_key_file": {"type": "path", "no_log": False},
            "chain_file": {"type": "path"},
            "certificate_secret": {"type": "str", "no_log": False},
            "dns": {"type": "str", "choices": ["route53", "manual"], "default": "route53"},
            "wait": {"type": "bool", "default": True},
            "wait_timeout": {"type": "int", "default": 1800},
            "except_arn": {"type": "str"},
            **dns.ZONE_OPTIONS,
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        mutually_exclusive=[("certificate_file", "certificate_secret"), ("hosted_zone_id", "hosted_zone_name")],
        supports_check_mode=True,
    )
    params = module.params
    if not HAS_CRYPTOGRAPHY:
        module.fail_json(msg=missing_required_lib("cryptography"))
    problem = wrong_options(params) if params["state"] == "present" else None
    if problem:
        module.fail_json(msg=problem)
    made: dict[str, Any] = {}

    def clients(service: str) -> Any:
        if service not in made:
            made[service] = (
                dns.route53_client(module, module.params) if service == "route53" else client(module, service)
            )
        return made[service]

    def work() -> dict[str, Any]:
        if params["state"] == "absent":
            removal, orphans = ensure_absent(clients, params, module.check_mode)
            return removal.result("certificate", orphaned_records=orphans)
        outcome = ensure_present(clients, params, module.check_mode)
        warn_about_expiry(module, outcome)
        return outcome.result("certificate")

    try:
        exit_with(module, work)
    except CertificateError as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
