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
from sm2a_local_aws.limits import models, names, tags

# Calls that make or change something. Those of tasks at work are many and have no names in them.
JUDGED = re.compile(
    r"(Add|Attach|Authorize|Create|DeleteDBInstance$|Enable|Import|Modify|PutMetricAlarm|PutRetention|PutRolePolicy|"
    r"PutSecret|Register|Request|Restore|ScheduleKey|Set|Subscribe|Tag|Update)"
)
# What a service says of wrong values, where it is not ValidationException (JSON) or ValidationError (query).
CODES = {"ec2": "InvalidParameterValue", "sqs": "InvalidParameterValue", "rds": "InvalidParameterValue"}
JSON_CODE, QUERY_CODE = "ValidationException", "ValidationError"


def middleware(application: Application) -> Application:
    """The ASGI application, which gets only calls within AWS's limits."""
    return judging.middleware(application, JUDGED.match, _refusal)


def _refusal(call: Call) -> Refused | None:
    """Why AWS refuses the call; None when it does not."""
    for code, sentence in names.problems(call.service, call.operation, call.parameters):
        return Refused(call.service, code, sentence, status=400)
    model = routes.model(call.service)
    shape = model.operation_model(call.operation).input_shape
    found = [*models.problems(shape, call.parameters), *tags.problems(call.service, call.parameters)]
    if not found:
        return None
    code = CODES.get(call.service) or (JSON_CODE if model.metadata["protocol"] == "json" else QUERY_CODE)
    many = f"{len(found)} validation error{'s' if len(found) > 1 else ''} detected"
    return Refused(call.service, code, f"{many}: {'; '.join(found)}", status=400)
