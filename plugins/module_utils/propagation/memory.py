# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What one module run knows to exist, so that its clients repeat a call by which AWS does not know it yet.

A thing is known when this run made it, when AWS told of its identifier, or when its own service, asked because another
one refused it, knows it. What nobody knows is an error at once, such as a wrong name from the user.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

with suppress(ImportError):  # AnsibleAWSModule reports the missing library.
    # ``jmespath`` comes with it.
    import jmespath
    from botocore import xform_name
    from botocore.exceptions import BotoCoreError, ClientError

from ansible_collections.sm2a.airflow.plugins.module_utils.common.error_advice import DENIAL_CODE
from ansible_collections.sm2a.airflow.plugins.module_utils.common.retries import ask_first
from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.model import (
    READS,
    REMOVALS,
    Create,
    Late,
    Look,
    made,
    search,
    texts,
    things,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.table import CREATES, late_at

PARAMETERS, PAUSES_LEFT = "sm2a_parameters", "sm2a_pauses_left"
# Seconds before the first attempts of a call; then LONGEST_PAUSE before each.
PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
LONGEST_PAUSE = 15.0
IDENTIFIER = re.compile("|".join(sorted({create.pattern for create in CREATES if create.pattern})))


def pauses(seconds: float) -> Iterator[float]:
    """Pauses between attempts, growing, that last ``seconds`` together."""
    left, planned = seconds, iter(PAUSES)
    while left > 0:
        pause = min(next(planned, LONGEST_PAUSE), left)
        left -= pause
        yield pause


@dataclass
class Thing:
    """Something that this run made: when, by which call, and whether a read has shown it since."""

    create: Create
    names: list[str]
    made_at: float
    # Parameters and answer.
    call: Mapping[str, Any]
    shown: bool = False


@dataclass
class Memory:
    """What one run of a module knows to exist. ``client`` makes the client of another service."""

    client: Callable[[str], Any]
    made: dict[str, Thing] = field(default_factory=dict)
    told: set[str] = field(default_factory=set)

    def attach(self, client: Any) -> None:
        """Let a boto3 client remember what it makes and is told, and repeat calls by which AWS does not know it yet."""
        events = client.meta.events
        service = client.meta.service_model.service_name
        prefix = client.meta.service_model.service_id.hyphenize()
        late = late_at(service)

        def note_parameters(params: dict[str, Any], context: dict[str, Any], **_others: Any) -> None:
            context[PARAMETERS] = params

        def note(http_response: Any, parsed: dict[str, Any], model: Any, context: Any, **_others: Any) -> None:
            if http_response.status_code < 300:
                self._note(service, model.name, context.get(PARAMETERS, {}), parsed)

        def pause(
            operation: Any, response: tuple[Any, dict[str, Any]] | None, request_dict: dict[str, Any], **_others: Any
        ) -> float | None:
            if response is None or operation.name.startswith(REMOVALS):
                return None
            context = request_dict["context"]
            for create, one in late:
                if one.fits(operation.name) and self._is_late(create, one, operation.name, context, response[1]):
                    return next(context.setdefault(PAUSES_LEFT, {}).setdefault(one, pauses(one.seconds)), None)
            return None

        events.register(f"before-parameter-build.{prefix}", note_parameters)
        events.register(f"after-call.{prefix}", note)
        ask_first(client, pause)

    def unseen(self) -> list[str]:
        """Wait until AWS shows what this run made to whoever asks next; what it does not show in the end.

        A read of the same service repeats itself while the thing is late.
        """
        hidden: list[str] = []
        for thing in list({id(thing): thing for thing in self.made.values()}.values()):
            look, name = thing.create.look, thing.names[0]
            thing.shown = thing.shown or look is None or self._shows(look, {**thing.call, **_views(name)})
            if not thing.shown:
                hidden.append(name)
        return hidden

    def _note(self, service: str, operation: str, parameters: Mapping[str, Any], answer: dict[str, Any]) -> None:
        self.told.update(found.group() for found in IDENTIFIER.finditer(str(answer)))
        named = set(texts(parameters))
        if operation.startswith(REMOVALS):
            for name in named & self.made.keys():
                del self.made[name]
            self.told -= named
        elif operation.startswith(READS):
            for name in named & self.made.keys():
                self.made[name].shown |= self.made[name].create.service == service
        for create in CREATES:
            if (create.service, create.operation) == (service, operation):
                names = made(create, parameters, answer)
                thing = Thing(create, names, time.monotonic(), {**parameters, **answer})
                self.made.update(dict.fromkeys(names, thing))

    def _is_late(
        self, create: Create, late: Late, operation: str, context: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> bool:
        """Whether an answer only says that something is not known yet."""
        error = answer.get("Error", {})
        if late.missing:
            return not error and any(self._is_new(name, late) for name in search(late.missing, answer))
        message = str(error.get("Message", ""))
        if not late.is_said(str(error.get("Code", "")), message):
            return False
        if late.always:
            return True
        parameters = context.get(PARAMETERS, {})
        named = things(create, late, parameters, message)
        asks = create.look is not None and not late.own and not operation.startswith(READS)
        return bool(named) and all(
            self._is_new(name, late)
            or (not late.own and name in self.told)
            or (asks and self._is_believed(create, name, parameters))
            for name in named
        )

    def _is_new(self, name: str, late: Late) -> bool:
        thing = self.made.get(name)
        return thing is not None and time.monotonic() - thing.made_at < late.seconds

    def _is_believed(self, create: Create, name: str, parameters: Mapping[str, Any]) -> bool:
        """Whether its own service knows a thing that another module made, or the user has named."""
        if create.look and self._shows(create.look, {**parameters, **_views(name)}):
            self.told.add(name)
            return True
        return False

    def _shows(self, look: Look, values: Mapping[str, Any]) -> bool:
        """Whether a thing is there; also when the caller may not ask."""
        asked = {member: jmespath.search(path, values) for member, path in look.parameters}
        try:
            answer = getattr(self.client(look.service), xform_name(look.operation))(**asked)
        except ClientError as error:
            return DENIAL_CODE.fullmatch(error.response["Error"].get("Code", "")) is not None
        except BotoCoreError:
            return False
        return bool(not look.shown or jmespath.search(look.shown, answer))


def _views(name: str) -> dict[str, str]:
    return {"thing": name, "name": name.rsplit("/", 1)[-1]}
