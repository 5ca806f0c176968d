# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A call that needs more of a quota than is left is refused, in AWS's words.

Two calls at the same moment may both get the last place: what is in use is counted before a call is done.
"""

from __future__ import annotations

from sm2a_local_aws.asgi import Application
from sm2a_local_aws.iam import judging
from sm2a_local_aws.iam.refusals import Refused
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.quotas import applied
from sm2a_local_aws.quotas.rules import RULES

OPERATIONS = frozenset(operation for _service, operation in RULES)


def middleware(application: Application) -> Application:
    """The ASGI application, which gets only calls within the account's quotas."""
    return judging.middleware(application, OPERATIONS.__contains__, refusal)


def refusal(call: Call) -> Refused | None:
    """Why the call is refused; None when enough is left."""
    for rule in RULES.get((call.service, call.operation), ()):
        taken, value = rule.takes(call.parameters), applied.value_of(rule.quota)
        if taken and rule.used(call.parameters) + taken > value:
            return Refused(call.service, rule.code, rule.said.format(value=f"{value:g}"), status=rule.status)
    return None
