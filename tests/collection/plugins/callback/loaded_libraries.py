"""Loads what the AWS modules use before the workers are forked: for the folder in_process, beside plugins."""

from __future__ import annotations

import gc
import importlib.util
import re
from functools import cache
from pathlib import Path
from typing import Any

import boto3
import botocore.loaders
import botocore.session
from ansible.plugins.callback import CallbackBase
from ansible_collections.amazon.aws.plugins.module_utils import modules

DOCUMENTATION = """
name: loaded_libraries
type: aggregate
short_description: Loads boto3, the code of amazon.aws and models of services before the workers are forked
description:
  - Workers that run modules themselves find them in the memory that they share with the playbook.
"""
LOADED = (boto3, modules)
# How the modules make their clients: client(module, "sqs"), clients("sqs"), module.client("sqs", retry_decorator=...).
CLIENT = re.compile(r"""\bclients?\((?:module, )?"([a-z0-9]+)"[,)]""")


@cache
def services_of(module: str) -> frozenset[str]:
    """Services whose clients the source of a module makes, such as ``sm2a.airflow.sqs_queue``."""
    namespace, collection, name = module.split(".", 2)
    found = importlib.util.find_spec(f"ansible_collections.{namespace}.{collection}.plugins.modules.{name}")
    return (
        frozenset(CLIENT.findall(Path(found.origin).read_text(encoding="utf-8")))
        if found and found.origin
        else frozenset()
    )


class CallbackModule(CallbackBase):  # type: ignore[misc]
    """Loads the models of a task's services just before its workers start, each once."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "sm2a.testing.loaded_libraries"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        # One loader, with all that it has parsed, for every session of this process and of those it forks.
        loader = botocore.loaders.create_loader()
        botocore.session.create_loader = lambda *_arguments: loader
        self._session = boto3.Session(aws_access_key_id="none", aws_secret_access_key="none", region_name="eu-west-1")
        self._loaded: set[str] = set()

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        name = task.resolved_action or task.action
        if name.startswith(("sm2a.airflow.", "amazon.aws.")):
            self.load(services_of(name))
        elif name == "sm2a.testing.boto3_call":
            # A template names one that the next call loads.
            self.load(frozenset({task.args["service"]}) & frozenset(self._session.get_available_services()))

    def load(self, services: frozenset[str]) -> None:
        """Parse the models of those services that are not loaded yet."""
        for service in services - self._loaded:
            self._session.client(service)
            self._loaded.add(service)
            # Pages that a garbage collection writes to are not shared any more.
            gc.freeze()
