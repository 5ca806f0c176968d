# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What every AWS module of this collection shares: a client that retries, one error policy and tag changes.

A client knows what AWS may not know for a moment after a create, and waits: see the package ``propagation``.

A create that must not be repeated blindly after a lost reply goes through ``create_once``.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

try:
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError
    from botocore.parsers import ResponseParserError
except ImportError:
    pass  # AnsibleAWSModule reports the missing library.

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.amazon.aws.plugins.module_utils.exceptions import AnsibleAWSError
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.amazon.aws.plugins.module_utils.tagging import compare_aws_tags
from ansible_collections.sm2a.airflow.plugins.module_utils.common.error_advice import advice
from ansible_collections.sm2a.airflow.plugins.module_utils.common.results import Outcome
from ansible_collections.sm2a.airflow.plugins.module_utils.common.retries import ask_first
from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.memory import Memory

# A service that signs under another name than IAM knows it by.
SIGNED_AS = {"monitoring": "cloudwatch"}
# EC2 adds it to refusals: a thousand characters for sts:DecodeAuthorizationMessage. It stays in the module's result.
ENCODED_MESSAGE = re.compile(r"\s*Encoded authorization failure message: \S+")
# Where a module keeps its Memory.
MEMORY = "sm2a_memory"
Call = TypeVar("Call", bound=Callable[..., Any])
# Options that most modules have, as AnsibleModule wants them: documented by the fragments state and amazon.aws.tags.
STATE_OPTION: dict[str, dict[str, Any]] = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
TAG_OPTIONS: dict[str, dict[str, Any]] = {
    "tags": {"type": "dict", "aliases": ["resource_tags"]},
    "purge_tags": {"type": "bool", "default": True},
}


# A function that brings one resource to a state: client, the module's options, check mode.
Ensure = Callable[[Any, dict[str, Any], bool], Outcome]


def exit_with(module: AnsibleAWSModule, work: Callable[[], dict[str, Any]]) -> None:
    """Do ``work`` and end the module with what it returns, or as failed when it raises AnsibleAWSError.

    It ends when AWS shows what it made, so that the next module finds it.
    """
    try:
        result = work()
    except AnsibleAWSError as error:
        fail_with(module, error)
    for name in _memory(module).unseen():
        module.warn(f"AWS does not show {name} yet, which was made just now: if a later task misses it, run again")
    module.exit_json(**result)


def fail_with(module: AnsibleAWSModule, error: AnsibleAWSError) -> NoReturn:
    """End the module as failed, with what the user can do about the error where that is known."""
    what_to_do = advice(error.exception)
    if what_to_do:
        answer = camel_dict_to_snake_dict(getattr(error.exception, "response", {}))
        said = ENCODED_MESSAGE.sub("", str(error)).rstrip(".")
        module.fail_json(msg=f"{said}. {what_to_do}", **answer)
    module.fail_json_aws_error(error)
    raise error  # Not reached: fail_json ends the process.


def manage(module: AnsibleAWSModule, service: Any, key: str, present: Ensure, absent: Ensure) -> None:
    """Bring the resource to the module's ``state`` through the client ``service``, and end the module."""
    ensure = present if module.params["state"] == "present" else absent
    exit_with(module, lambda: ensure(service, module.params, module.check_mode).result(key))


def client(module: AnsibleAWSModule, service: str, connection_attempts: int = 11, **others: str) -> Any:
    """A boto3 client of ``service`` that retries throttling, server errors and lost connections, but no used up quota.

    It gives up an address that does not answer after ``connection_attempts``. Region, endpoint and credentials are the
    module's options, or the environment's; ``others``, named as boto3 names them, are another Region or credentials.
    """

    def give_up(attempts: int, caught_exception: Exception | None, **_others: Any) -> None:
        if isinstance(caught_exception, EndpointConnectionError) and attempts >= connection_attempts:
            raise caught_exception

    made = module.client(service, config=Config(retries={"mode": "standard", "max_attempts": 10}), **others)
    ask_first(made, _end_at_quota)
    ask_first(made, give_up)
    _memory(module).attach(made)
    made.meta.events.register(f"after-call.{made.meta.service_model.service_id.hyphenize()}", _name_service)
    return made


def _memory(module: AnsibleAWSModule) -> Memory:
    """What this run of the module knows to exist, for all of its clients."""
    if not hasattr(module, MEMORY):
        setattr(module, MEMORY, Memory(lambda service: client(module, service)))
    memory: Memory = getattr(module, MEMORY)
    return memory


def _name_service(parsed: dict[str, Any], model: Any, **_others: Any) -> None:
    """Handler of botocore's event ``after-call``: an error says which service answered, as IAM calls it."""
    if "Error" in parsed:
        parsed["Error"]["Service"] = SIGNED_AS.get(model.service_model.signing_name, model.service_model.signing_name)


def _end_at_quota(operation: Any, response: tuple[Any, dict[str, Any]] | None, **_others: Any) -> None:
    """Handler of botocore's event ``needs-retry``, which takes this code for throttling and would wait for minutes."""
    if response is not None and response[1].get("Error", {}).get("Code") == "LimitExceededException":
        raise ClientError(response[1], operation.name)


def call(description: str, missing: tuple[str, ...] = (), default: Any = None) -> Callable[[Call], Call]:
    """Decorate one API call: botocore errors become ``AnsibleAWSError("Failed to <description>")``.

    So does an answer that is none of AWS's, such as the page of a proxy.

    Error codes in ``missing`` mean that the resource is not there: the call then returns ``default``.
    """

    def wrap(function: Call) -> Call:
        def handled(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except ClientError as error:
                if error.response["Error"]["Code"] in missing:
                    return default
                raise AnsibleAWSError(message=f"Failed to {description}", exception=error) from error
            except (BotoCoreError, ResponseParserError) as error:
                raise AnsibleAWSError(message=f"Failed to {description}", exception=error) from error

        handled.__name__ = function.__name__
        handled.__doc__ = function.__doc__
        return handled  # type: ignore[return-value]

    return wrap


@dataclass(frozen=True)
class TagChange:
    """Tags to set and tag keys to remove; ``result`` is what the resource carries afterwards."""

    set: dict[str, str]
    remove: list[str]
    result: dict[str, str]

    def __bool__(self) -> bool:
        return bool(self.set or self.remove)


def joint_tags(shared: Mapping[str, Any] | None, own: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """The tags of one item of a list: those of all and its own, which win; None when neither is given."""
    return None if shared is None and own is None else {**(shared or {}), **(own or {})}


def tag_change(current: Mapping[str, str], wanted: Mapping[str, Any] | None, purge: bool) -> TagChange:
    """Compare tags: ``wanted`` None leaves all alone; tags of AWS itself (``aws:``) are never removed."""
    if wanted is None:
        return TagChange({}, [], dict(current))
    to_set, to_remove = compare_aws_tags(current, {key: str(value) for key, value in wanted.items()}, purge_tags=purge)
    result = {key: value for key, value in current.items() if key not in to_remove} | to_set
    return TagChange(to_set, to_remove, result)
