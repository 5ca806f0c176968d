# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What one module run knows to exist, so that its clients repeat a call by which AWS does not know it yet.

A thing is known when this run made it, when AWS told of its identifier, or when its own service, asked because another
one refused it, knows it. What nobody knows is an error at once, such as a wrong name from the user.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
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
    search,
    texts,
    things,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.table import CREATES, late_at

PARAMETERS, PAUSES_LEFT = "sm2a_parameters", "sm2a_pauses_left"
# Seconds before the first attempts of a call; then LONGEST_PAUSE before each.
PAUSES = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
LONGEST_PAUSE = 15.0
# For so long a read may miss what this run was told of first.
READ_SECONDS = 10.0
IDENTIFIER = re.compile("|".join(sorted({create.pattern for create in CREATES if create.pattern})))


def pauses(seconds: float) -> Iterator[float]:
    """Pauses between attempts, growing, that last ``seconds`` together."""
    left, planned = seconds, iter(PAUSES)
    while left > 0:
        pause = min(next(planned, LONGEST_PAUSE), left)
        left -= pause
        yield pause


# A name, and the create of such things: two kinds may have a thing of one name.
Name = tuple[str, str]


@dataclass
class Thing:
    """Something that this run made: when, by which call (parameters and answer), and whether its look has shown it."""

    create: Create
    made_at: float
    call: Mapping[str, Any]
    shown: bool = False


@dataclass
class Memory:
    """What one run of a module knows to exist. ``client`` makes the client of another service."""

    client: Callable[[str], Any]
    made: dict[Name, Thing] = field(default_factory=dict)
    # When AWS first told of it: identifiers of its own, and names that calls were answered for.
    told: dict[str | Name, float] = field(default_factory=dict)
    removed: set[str] = field(default_factory=set)

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
        shown: dict[str, bool] = {}
        for (_kind, name), thing in list(self.made.items()):
            if thing.create.look and not thing.shown:
                asked = _parameters(thing.create.look, name, thing.call)
                if str(asked) not in shown:
                    shown[str(asked)] = self._shows(thing.create.look, asked)
                thing.shown = shown[str(asked)]
        return [name for (_kind, name), thing in self.made.items() if thing.create.look and not thing.shown]

    def _note(self, service: str, operation: str, parameters: Mapping[str, Any], answer: dict[str, Any]) -> None:
        if operation.startswith(REMOVALS):
            if any(create.service == service and create.is_undone_by(operation) for create in CREATES):
                self._forget(service, set(texts(parameters)))
            return
        self._hear(found.group() for found in IDENTIFIER.finditer(str(answer)))
        both = {**parameters, **answer}
        for create, late in late_at(service):
            if late.named and late.codes and not late.own and create.service == service and late.fits(operation):
                names = [*search(late.named, parameters), *search(create.names, both)]
                self._hear((create.operation, name) for name in names)
        said = set(texts(parameters))
        for (_kind, name), thing in self.made.items():
            look = thing.create.look
            thing.shown |= name in said and look is not None and (look.service, look.operation) == (service, operation)
        for create in CREATES:
            if (create.service, create.operation) == (service, operation):
                for name in search(create.names, both):
                    self.made[operation, name] = Thing(create, time.monotonic(), both)
                    self.removed.discard(name)

    def _hear(self, keys: Iterable[str | Name]) -> None:
        """AWS told of things. What was removed stays listed for a while."""
        for key in keys:
            if (key if isinstance(key, str) else key[1]) not in self.removed:
                self.told.setdefault(key, time.monotonic())

    def _forget(self, service: str, names: set[str]) -> None:
        """What was removed is not expected any more."""
        for key in [key for key, thing in self.made.items() if key[1] in names and thing.create.service == service]:
            del self.made[key]
        for told in [key for key in self.told if (key if isinstance(key, str) else key[1]) in names]:
            del self.told[told]
        self.removed |= names

    def _is_late(
        self, create: Create, late: Late, operation: str, context: Mapping[str, Any], answer: Mapping[str, Any]
    ) -> bool:
        """Whether an answer only says that something is not known yet."""
        error = answer.get("Error", {})
        if late.missing:
            return not error and any(self._is_new(create, name, late) for name in search(late.missing, answer))
        message = str(error.get("Message", ""))
        if not late.is_said(str(error.get("Code", "")), message):
            return False
        if late.always:
            return True
        parameters = context.get(PARAMETERS, {})
        named = things(create, late, parameters, message)
        asks = create.look is not None and not late.own and not operation.startswith(READS)
        return bool(named) and all(
            self._is_new(create, name, late)
            or (not late.own and self._is_told(create, name, operation))
            or (asks and self._is_believed(create, name, parameters))
            for name in named
        )

    def _is_new(self, create: Create, name: str, late: Late) -> bool:
        thing = self.made.get((create.operation, name))
        return thing is not None and time.monotonic() - thing.made_at < late.seconds

    def _is_told(self, create: Create, name: str, operation: str) -> bool:
        """Whether AWS told of it; a read that does not find it any more may be right after some time."""
        told = [self.told[key] for key in (name, (create.operation, name)) if key in self.told]
        return bool(told) and (not operation.startswith(READS) or time.monotonic() - min(told) < READ_SECONDS)

    def _is_believed(self, create: Create, name: str, parameters: Mapping[str, Any]) -> bool:
        """Whether its own service knows a thing that another module made, or the user has named."""
        if create.look and self._shows(create.look, _parameters(create.look, name, parameters)):
            self._hear([(create.operation, name)])
            return True
        return False

    def _shows(self, look: Look, asked: Mapping[str, Any]) -> bool:
        """Whether a thing is there; also when the caller may not ask."""
        if not asked:
            return True
        try:
            answer = getattr(self.client(look.service), xform_name(look.operation))(**asked)
        except ClientError as error:
            return DENIAL_CODE.fullmatch(error.response["Error"].get("Code", "")) is not None
        except BotoCoreError:
            return False
        return bool(not look.shown or jmespath.search(look.shown, answer))


def _parameters(look: Look, name: str, call: Mapping[str, Any]) -> dict[str, Any]:
    """What a look asks for; a member that its JMESPath leaves empty is left out."""
    values = {**call, "thing": name, "name": name.rsplit("/", 1)[-1]}
    found = {member: jmespath.search(path, values) for member, path in look.parameters}
    return {member: value for member, value in found.items() if value}
