# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""How the table says what AWS does not know for a moment after a create, and which things a call names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

with suppress(ImportError):  # It comes with botocore; AnsibleAWSModule reports the missing library.
    import jmespath

# Whose retries most entries were learned from.
PROVIDER = "https://github.com/hashicorp/terraform-provider-aws"
# A call that removes is done when the thing is unknown, so it is never repeated.
REMOVALS = ("Delete", "Deregister", "Detach", "Disassociate", "Release", "ScheduleKeyDeletion", "Unsubscribe")
READS = ("BatchGet", "Describe", "Get", "Head", "List")
ANY_CALL = rf"(?!{'|'.join(REMOVALS)}).+"
# JMESPaths of a look: those names that are ARNs, and those that are not (each a list of one or of none).
ARN = "[thing][?starts_with(@, 'arn:')]"
OWN_NAME = "[thing][?!(starts_with(@, 'arn:') || starts_with(@, 'http'))]"
# Members of a request that name nothing that must exist.
DESCRIPTIONS = ("Filter", "Filters", "TagSpecifications", "Tags", "tags")


@dataclass(frozen=True)
class Look:
    """The read of its own service by which a thing shows.

    ``parameters``: (member, JMESPath). Looked up are ``thing``, its ``name`` (what is behind the last slash), and the
    parameters and the answer of the create. A name for which they find nothing is not looked for.
    """

    service: str
    operation: str
    parameters: tuple[tuple[str, str], ...]
    # JMESPath of what the answer must have for the thing to be there; "" where an answer is enough.
    shown: str = ""


@dataclass(frozen=True)
class Late:
    """What a call may answer for up to ``seconds`` after the create, and where that is written.

    Either an error, with one of the ``codes`` (the local AWS answers the first one) and ``says`` in its message, or an
    answer that lists under the JMESPath ``missing`` what it does not know.
    """

    service: str
    source: str
    codes: tuple[str, ...] = ()
    says: str = ""
    missing: str = ""
    # A regular expression of the operations.
    calls: str = ANY_CALL
    # JMESPath of the parameters that name the thing; "" when its pattern finds it anywhere in the call.
    named: str = ""
    seconds: int = 120
    # The words mean this and nothing else, or the call does not name the thing.
    always: bool = False
    # Only a thing that the same module has made counts: of others the words mean something else.
    own: bool = False
    # With which the local AWS answers.
    status: int = 400

    def fits(self, operation: str) -> bool:
        """Whether it is about such calls."""
        return re.fullmatch(self.calls, operation) is not None

    def is_said(self, code: str, message: str) -> bool:
        """Whether an error says it; AWS writes some codes in several ways."""
        return code.lower() in {one.lower() for one in self.codes} and self.says.lower() in message.lower()


@dataclass(frozen=True)
class Create:
    """A call that makes something, and what may not know of it at first.

    ``names`` is the JMESPath of the names of what was made, in the parameters and the answer together. ``pattern`` is
    the regular expression of an identifier that AWS gives: one that AWS told of exists. A thing with a name of our own
    has none.
    """

    service: str
    operation: str
    names: str
    late: tuple[Late, ...]
    look: Look | None = None
    pattern: str = ""
    # Whether a service makes it for itself, and not one of our modules.
    by_service: bool = False

    def is_undone_by(self, operation: str) -> bool:
        """Whether an operation removes such a thing, and not only a part of one, such as a policy of a role."""
        kind = re.sub(r"^(Allocate|Create|Import|Register|Request)", "", self.operation)
        return re.fullmatch(rf"(Delete|Deregister|Release|Schedule){kind}(s|Deletion)?", operation) is not None


def texts(value: Any) -> Iterator[str]:
    """All texts in a value of an API, without its filters and tags."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key not in DESCRIPTIONS:
                yield from texts(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from texts(inner)


def search(path: str, value: Any) -> list[str]:
    """The texts that a JMESPath finds."""
    return [text for text in texts(jmespath.search(path, value)) if text]


def things(create: Create, late: Late, parameters: Mapping[str, Any], message: str = "") -> list[str]:
    """What a call names of the kind that ``create`` makes; what the message names comes first, as it is meant."""
    if late.named:
        return search(late.named, parameters)
    if not create.pattern:
        return []
    pattern = re.compile(create.pattern)
    meant = pattern.findall(message)
    return meant or [found for text in texts(parameters) for found in pattern.findall(text)]
