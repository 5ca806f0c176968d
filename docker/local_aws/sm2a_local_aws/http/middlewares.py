# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What a request passes on its way to MiniStack, in this order."""

from __future__ import annotations

from functools import reduce

from sm2a_local_aws.asgi import Application
from sm2a_local_aws.ecs import agent
from sm2a_local_aws.ecs_exec import data_channel
from sm2a_local_aws.http import client_tokens, late_answers, long_polls, outages, parameters, request_filter
from sm2a_local_aws.iam import enforcement, first_use, task_calls
from sm2a_local_aws.quotas import refusals

MIDDLEWARES = (
    # What a browser sends, or is sent to an unknown host, is refused.
    request_filter.middleware,
    # A session of ECS Exec is opened by its token.
    data_channel.middleware,
    # Its caller must be known and have the rights that it needs.
    enforcement.middleware,
    # Its parameters are within AWS's limits.
    parameters.middleware,
    # It waits while its service is taken away.
    outages.middleware,
    # It asks what tasks called.
    task_calls.middleware,
    # It may be told that there is no such thing, which was just made.
    late_answers.middleware,
    # A receive call of SQS ends when its client is gone.
    long_polls.middleware,
    # It is answered as before when it comes again with the same client token.
    client_tokens.middleware,
    # Its service has its service-linked role.
    first_use.middleware,
    # It is within the account's quotas.
    refusals.middleware,
    # ECS's agent answers on its own paths.
    agent.middleware,
)


def around(application: Application) -> Application:
    """The ASGI application with all of them in front of it, the first one outermost."""
    return reduce(lambda inner, middleware: middleware(inner), reversed(MIDDLEWARES), application)
