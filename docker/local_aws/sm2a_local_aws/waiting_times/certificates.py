# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ACM: a certificate with DNS validation is not issued before its time, even with its CNAMEs in Route 53.

The time counts from the request. On AWS it counts from the CNAMEs, which SM2A writes some seconds later.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from ministack.services import acm

from sm2a_local_aws.acm import validation
from sm2a_local_aws.patching.points import replaces
from sm2a_local_aws.waiting_times import states

Handler = Callable[[dict[str, Any]], Any]


@replaces("ministack.services.acm:_request_certificate", "8fb1d8187af5", over=("acm.certificates",))
def request_certificate(original: Handler, data: dict[str, Any]) -> Any:
    """Begin the wait, once for each certificate."""
    known = set(acm._certificates.keys())
    response = original(data)
    if response[0] != 200:
        return response
    arn = json.loads(response[2])["CertificateArn"]
    record = acm._certificates[arn]
    if arn not in known and record["Status"] == validation.PENDING:
        record[validation.UNREAD] = True
        states.begin("certificate", record["DomainName"], lambda: record.pop(validation.UNREAD))
    return response
