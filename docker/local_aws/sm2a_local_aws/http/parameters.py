# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A call whose parameters AWS refuses is refused here, so that the local AWS hides no fault from a real account."""

from __future__ import annotations

import re

from sm2a_local_aws.asgi import Application
from sm2a_local_aws.iam import judging
from sm2a_local_aws.iam.refusals import Refused
from sm2a_local_aws.iam.request import routes
from sm2a_local_aws.iam.request.calls import Call
from sm2a_local_aws.limits import models, rules, tags

# Calls that make or change something. What tasks at work send all the time is not looked at.
JUDGED = re.compile(
    r"(Add|Allocate|Associate|Attach|Authorize|Create|DeleteDBInstance$|DeleteSecret$|Enable|Import|Modify|"
    r"Put(?!Object|MetricData|LogEvents)|Register|Replace|Request|ResetDBParameterGroup|Restore|RunTask|ScheduleKey|Set|"
    r"Subscribe|Tag|Update)"
)
# What a service says of wrong values, where it is not ValidationException (JSON) or ValidationError (query).
CODES = {
    "ec2": "InvalidParameterValue",
    "rds": "InvalidParameterValue",
    "s3": "MalformedXML",
    "sqs": "InvalidParameterValue",
}
JSON_CODE, QUERY_CODE = "ValidationException", "ValidationError"


def middleware(application: Application) -> Application:
    """The ASGI application, which gets only calls within AWS's limits."""
    return judging.middleware(application, JUDGED.match, refusal)


def refusal(call: Call) -> Refused | None:
    """Why AWS refuses the call; None when it does not."""
    for code, sentence in rules.problems(call.service, call.operation, call.parameters):
        return Refused(call.service, code, sentence, status=400)
    model = routes.model(call.service)
    shape = model.operation_model(call.operation).input_shape
    found = [*models.problems(shape, call.parameters), *tags.problems(call.service, call.parameters)]
    if not found:
        return None
    code = CODES.get(call.service) or (JSON_CODE if model.metadata["protocol"] == "json" else QUERY_CODE)
    many = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
    return Refused(call.service, code, f"{many}: {'; '.join(found)}", status=400)
