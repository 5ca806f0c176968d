#!/usr/bin/python
# -*- coding: utf-8 -*-
# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0

from __future__ import annotations

DOCUMENTATION = r"""
---
module: elbv2_load_balancer
version_added: 0.1.0
short_description: Manage an Application Load Balancer with its listeners and attributes
description:
  - Manages an Application Load Balancer, its attributes, and listeners that forward to one target group, redirect to
    HTTPS or answer with a status, with or without authentication by an OpenID Connect provider.
  - Check mode is exact and shows a diff of every field. A protected load balancer is refused as a whole on removal, and
    keeps its listeners.
  - A new load balancer is not waited for.
  - Unlike M(amazon.aws.elb_application_lb) it shows a diff, and manages the attributes of listeners, such as headers
    that they add.
author:
  - SM2A contributors (@sm2a)
options:
  name:
    description:
      - Name of the load balancer; at most 32 letters, digits and hyphens.
    type: str
    required: true
  scheme:
    description:
      - Whether it has public addresses. It cannot change afterwards.
    type: str
    choices: [internet-facing, internal]
    default: internet-facing
  ip_address_type:
    description:
      - Addresses that it has. All but V(ipv4) need subnets with IPv6 ranges. Unset leaves the type alone.
    type: str
    choices: [ipv4, dualstack, dualstack-without-public-ipv4]
  subnet_ids:
    description:
      - Its subnets, in two zones or more. Required when O(state=present).
    type: list
    elements: str
  security_group_ids:
    description:
      - Its security groups. Required when O(state=present).
    type: list
    elements: str
  listeners:
    description:
      - All its listeners; others are removed. Unset leaves them alone.
    type: list
    elements: dict
    suboptions:
      port:
        description: Port on which it listens.
        type: int
        required: true
      protocol:
        description: Protocol of the clients.
        type: str
        choices: [HTTP, HTTPS]
        required: true
      certificate_arn:
        description: Certificate. Required for V(HTTPS).
        type: str
      ssl_policy:
        description: TLS policy. Required for V(HTTPS).
        type: str
      target_group_arn:
        description: Target group to which requests are forwarded.
        type: str
      redirect_to_port:
        description: HTTPS port to which requests are redirected for ever (301).
        type: int
      redirect_to_host:
        description:
          - Host to which requests are redirected. Unset means the one that the client named, which may be any.
        type: str
      default_status:
        description:
          - Status with which requests are answered that no rule matches, instead of being forwarded.
        type: int
      authenticate_oidc:
        description:
          - Have people log in at an OpenID Connect provider before a request is forwarded; only for V(HTTPS). The
            provider must know C(https://<host>/oauth2/idpresponse) as redirect URI.
        type: dict
        suboptions:
          issuer:
            description: Issuer, as the provider's discovery document names it.
            type: str
            required: true
          authorization_endpoint:
            description: URL at which users log in.
            type: str
            required: true
          token_endpoint:
            description: URL from which the load balancer gets tokens.
            type: str
            required: true
          user_info_endpoint:
            description: URL from which the load balancer gets the user's claims.
            type: str
            required: true
          client_id:
            description: Client that the provider knows the load balancer as.
            type: str
            required: true
          client_secret_name:
            description:
              - Name or ARN of the secret in Secrets Manager that holds the client secret. It is read inside the module
                when the listener gets it first, and when it has a new version.
            type: str
            required: true
          client_secret_key:
            description: Key of the client secret, when the secret is a JSON object.
            type: str
          scope:
            description: Scopes that are asked for, separated by spaces.
            type: str
            default: openid
          session_cookie_name:
            description: Name of the cookie of the session.
            type: str
            default: AWSELBAuthSessionCookie
          session_timeout_seconds:
            description: Seconds after which people log in again.
            type: int
            default: 604800
          on_unauthenticated_request:
            description: What happens to a request without a session.
            type: str
            choices: [authenticate, deny, allow]
            default: authenticate
      rules:
        description:
          - Rules that forward requests to O(listeners[].target_group_arn) without authentication, or answer them with a
            status; others are removed. Unset leaves them alone.
          - A rule has five values at most, paths and hosts together.
        type: list
        elements: dict
        suboptions:
          priority:
            description: Priority among the rules; the lowest comes first.
            type: int
            required: true
          path_patterns:
            description: Paths, in which C(*) and C(?) stand for other characters. Their case counts.
            type: list
            elements: str
          host_names:
            description:
              - Hosts that the request names, in which C(*) and C(?) stand for other characters. Each has a dot, and
                letters only after the last one.
            type: list
            elements: str
          status:
            description: Status of the answer. Unset means that the request is forwarded.
            type: int
      attributes:
        description:
          - Attributes of the listener by the names of the AWS API, such as
            V(routing.http.response.strict_transport_security.header_value). An empty value takes one away.
            Attributes that are not given are left alone.
        type: dict
  deletion_protection:
    description:
      - Whether AWS refuses to delete it. With O(state=absent), V(false) turns the protection off first.
    type: bool
  attributes:
    description:
      - Attributes by the names of the AWS API, such as V(routing.http.drop_invalid_header_fields.enabled).
        Attributes that are not given are left alone.
    type: dict
    default: {}
  state:
    description:
      - Whether the load balancer exists.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.tags
  - amazon.aws.boto3
  - sm2a.airflow.attributes
  - sm2a.airflow.state
"""

EXAMPLES = r"""
- name: HTTPS, with a redirect from HTTP
  sm2a.airflow.elbv2_load_balancer:
    name: staging
    subnet_ids: [subnet-0123456789abcdef0, subnet-0123456789abcdef1]
    security_group_ids: [sg-0123456789abcdef0]
    deletion_protection: true
    listeners:
      - port: 443
        protocol: HTTPS
        certificate_arn: arn:aws:acm:eu-west-1:123456789012:certificate/01234567-89ab-cdef-0123-456789abcdef
        ssl_policy: ELBSecurityPolicy-TLS13-1-2-2021-06
        target_group_arn: arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/staging/0123456789abcdef
        rules:
          - priority: 1
            path_patterns: [/internal, /internal/*]
            status: 404
        attributes:
          routing.http.response.x_frame_options.header_value: DENY
      - port: 80
        protocol: HTTP
        redirect_to_port: 443
        redirect_to_host: airflow.example.com
"""

RETURN = r"""
load_balancer:
  description: The load balancer; empty when absent.
  returned: always
  type: dict
  contains:
    load_balancer_arn:
      description: Its ARN; ends in zeros in check mode when it is to be created.
      type: str
      returned: when present
    listeners:
      description: Its listeners by port.
      type: dict
      returned: when present
"""

from collections.abc import Callable
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.sm2a.airflow.plugins.module_utils.common.aws import (
    STATE_OPTION,
    TAG_OPTIONS,
    client,
    exit_with,
    tag_change,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2 import listeners as elbv2_listeners
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.api import (
    describe_load_balancer,
    describe_tags,
    load_balancer_placeholder_arn,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.elbv2.load_balancers import (
    PROTECTION,
    create_load_balancer,
    delete_load_balancer,
    describe_attributes,
    modify_attributes,
    update,
)


def wanted_attributes(params: dict[str, Any]) -> dict[str, str]:
    """Attributes as the API wants them: all strings, booleans in lower case."""
    wanted = dict(params["attributes"])
    if params["deletion_protection"] is not None:
        wanted[PROTECTION] = params["deletion_protection"]
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in wanted.items()}


def read(elbv2: Any, current: dict[str, Any], params: dict[str, Any], attribute_keys: list[str]) -> dict[str, Any]:
    """The managed fields of an existing load balancer, in the shape of the diff."""
    arn = current["LoadBalancerArn"]
    attributes = describe_attributes(elbv2, arn)
    return {
        "load_balancer_arn": arn,
        "scheme": current["Scheme"],
        "ip_address_type": current["IpAddressType"],
        "subnet_ids": sorted(zone["SubnetId"] for zone in current["AvailabilityZones"]),
        "security_group_ids": sorted(current.get("SecurityGroups", [])),
        "attributes": {key: attributes.get(key) for key in attribute_keys},
        "listeners": elbv2_listeners.read(elbv2, arn, params["listeners"]),
        "tags": describe_tags(elbv2, arn),
    }


def refuse_another_scheme(before: dict[str, Any], params: dict[str, Any]) -> None:
    """AnsibleAWSError when the load balancer would have to be replaced."""
    if before and before["scheme"] != params["scheme"]:
        raise AnsibleAWSError(
            message=f"The scheme of load balancer {params['name']} cannot be changed: it is {before['scheme']}, "
            f"not {params['scheme']}. Delete it first (state absent, deletion_protection false), then run "
            "again; its DNS name changes, and its targets are unreachable in the meantime"
        )


def ensure_present(elbv2: Any, params: dict[str, Any], check_mode: bool, secrets: Callable[[], Any]) -> Outcome:
    """Create the load balancer, or change what differs."""
    name, attributes, listeners = params["name"], wanted_attributes(params), params["listeners"]
    current = describe_load_balancer(elbv2, name)
    before = read(elbv2, current, params, list(attributes)) if current else {}
    refuse_another_scheme(before, params)
    change = tag_change(before.get("tags", {}), params["tags"], params["purge_tags"])
    held = before.get("listeners", {})
    after = {
        "load_balancer_arn": before.get("load_balancer_arn") or load_balancer_placeholder_arn(elbv2, name),
        "scheme": params["scheme"],
        "ip_address_type": params["ip_address_type"] or before.get("ip_address_type", "ipv4"),
        "subnet_ids": sorted(params["subnet_ids"]),
        "security_group_ids": sorted(params["security_group_ids"]),
        "attributes": attributes,
        "listeners": held,
        "tags": change.result,
    }
    if listeners is not None:
        by_port = sorted(listeners, key=lambda one: int(one["port"]))
        after["listeners"] = {
            str(one["port"]): elbv2_listeners.plan(one, held.get(str(one["port"]), {}), params, secrets)
            for one in by_port
        }
    if not check_mode and before != after:
        arn = before.get("load_balancer_arn") or create_load_balancer(elbv2, params, change.result)
        update(elbv2, arn, before, after, change)
        if listeners is not None and held != after["listeners"]:
            elbv2_listeners.ensure(elbv2, arn, listeners, after["listeners"], secrets)
        after["load_balancer_arn"] = arn
    return Outcome(before != after, before, after)


def ensure_absent(elbv2: Any, params: dict[str, Any], check_mode: bool) -> Outcome:
    """Delete the load balancer with its listeners; AnsibleAWSError when it is protected."""
    name = params["name"]
    current = describe_load_balancer(elbv2, name)
    if not current:
        return Outcome(False)
    before = read(elbv2, current, params, [PROTECTION])
    is_protected = before["attributes"][PROTECTION] == "true"
    if is_protected and params["deletion_protection"] is not False:
        advice = "set deletion_protection to false to remove it"
        raise AnsibleAWSError(message=f"Load balancer {name} is protected against deletion: {advice}")
    if not check_mode:
        if is_protected:
            modify_attributes(elbv2, before["load_balancer_arn"], {PROTECTION: "false"})
        delete_load_balancer(elbv2, before["load_balancer_arn"])
    return Outcome(True, before, {})


def main() -> None:
    module = AnsibleAWSModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "scheme": {"type": "str", "choices": ["internet-facing", "internal"], "default": "internet-facing"},
            "ip_address_type": {"type": "str", "choices": ["ipv4", "dualstack", "dualstack-without-public-ipv4"]},
            "subnet_ids": {"type": "list", "elements": "str"},
            "security_group_ids": {"type": "list", "elements": "str"},
            "listeners": elbv2_listeners.OPTION,
            "deletion_protection": {"type": "bool"},
            "attributes": {"type": "dict", "default": {}},
            **STATE_OPTION,
            **TAG_OPTIONS,
        },
        required_if=[("state", "present", ("subnet_ids", "security_group_ids"))],
        supports_check_mode=True,
    )
    elbv2, params = client(module, "elbv2"), module.params

    def work() -> dict[str, Any]:
        if params["state"] == "absent":
            return ensure_absent(elbv2, params, module.check_mode).result("load_balancer")
        outcome = ensure_present(elbv2, params, module.check_mode, lambda: client(module, "secretsmanager"))
        return outcome.result("load_balancer")

    exit_with(module, work)


if __name__ == "__main__":
    main()
