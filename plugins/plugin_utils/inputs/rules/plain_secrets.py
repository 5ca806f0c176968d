# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Options that are no place for a secret, because they end in task definitions, logs and images. Pure.

Sentences name the option and the way out, and never repeat a value.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_config import (
    CREDENTIALS,
    OWN_SECRETS,
    environment_problems,
    option_problem,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_option_names import SENSITIVE
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import entries
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.secret_names import (
    has_secret_text,
    holds_secret,
    url_holds_secret,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.worker_roles import has_own_role

IN_CONNECTION = (
    "must not hold a user name, password or token; keep it in a connection of type git in secrets_connections, "
    "and name that in airflow_dags_git_connection_id"
)
IN_INDEX = (
    "must not hold a user name, password or token, which would stay in the image; use an index that this machine may "
    "read without one, such as a mirror in your network"
)
# Option with a URL -> what is wrong when it holds a secret.
URLS = {
    "airflow_dags_git_url": IN_CONNECTION,
    "images_index_url": IN_INDEX,
    "images_debian_mirror": IN_INDEX.replace("index", "mirror").replace("a mirror in", "one in"),
    "local_aws_debian_mirror": IN_INDEX.replace("index", "mirror").replace("a mirror in", "one in"),
    "sm2a_endpoint_url": "must not hold a user name, password or token; keep credentials in sm2a_aws_environment",
}
GIT_TEXTS = ("airflow_dags_git_branch", "airflow_dags_git_subdirectory")
CONNECTION_PREFIX, VARIABLE_PREFIX, OPTION_PREFIX = "AIRFLOW_CONN_", "AIRFLOW_VAR_", "AIRFLOW__"


def problems(values: Mapping[str, Any]) -> list[str]:
    """One sentence for each secret that stands in plain text where it must not."""
    return [*_urls(values), *_config(values.get("airflow_config")), *_environments(values)]


def _urls(values: Mapping[str, Any]) -> Iterator[str]:
    for option, sentence in URLS.items():
        url = values.get(option)
        if isinstance(url, str) and url_holds_secret(url):
            yield f"{option}: {sentence}"
    for option in GIT_TEXTS:
        given = values.get(option)
        if isinstance(given, str) and has_secret_text(given):
            yield f"{option}: {IN_CONNECTION}"


def _config(config: Any) -> Iterator[str]:
    for section, options in config.items() if isinstance(config, Mapping) else ():
        for option, value in options.items() if isinstance(options, Mapping) else ():
            where = f"airflow_config.{section}.{option}"
            if reason := _option_reason(str(section), str(option), value):
                yield f"{where}: {reason}"


def _option_reason(section: str, option: str, value: Any) -> str | None:
    """Why this option of Airflow's configuration must not stand in plain text, with the way out that Airflow has."""
    if value in (None, ""):
        return None
    if (section, option) in SENSITIVE:
        # The same sentence as that of airflow_checks, so that a list of both has it once.
        return option_problem(section, option)
    if not holds_secret(option, value):
        return None
    if section in ("smtp", "email"):
        return "must not hold a secret in plain text; keep user and password in secrets_connections.smtp_default"
    return (
        "must not hold a secret in plain text; keep it in a connection in secrets_connections (airflow_config_secrets "
        f"is for options that Airflow marks as sensitive, such as {_examples()})"
    )


def _examples() -> str:
    return ", ".join(".".join(one) for one in sorted(SENSITIVE - OWN_SECRETS)[-2:])


def _environments(values: Mapping[str, Any]) -> Iterator[str]:
    for group in entries(values.get("airflow_worker_groups")):
        environment = group.get("environment")
        where = f"airflow_worker_groups, group {group.get('name')}"
        for name, value in environment.items() if isinstance(environment, Mapping) else ():
            if reason := _variable_reason(str(name), value, has_own_role(group)):
                yield f"{where}: environment.{name}: {reason}"


def _variable_reason(name: str, value: Any, own_role: bool) -> str | None:
    if value in (None, ""):
        return None
    upper, parts = name.upper(), name.lower().split("__")
    if upper.startswith(OPTION_PREFIX) and len(parts) == 3:
        return _option_reason(parts[1], parts[2], value)
    # The same sentence as that of airflow_checks.
    if name in CREDENTIALS and (found := environment_problems("", {name: value})):
        return found[0].partition(": ")[2]
    group = "secrets_group_" if own_role else "secrets_"
    if upper.startswith(CONNECTION_PREFIX):
        place = f"{group}connections, as {name[len(CONNECTION_PREFIX) :].lower()}"
    elif upper.startswith(VARIABLE_PREFIX):
        place = f"{group}variables, as {name[len(VARIABLE_PREFIX) :].lower()}"
    else:
        place = f"{group}connections or {group}variables, which the code of DAGs reads"
    if not upper.startswith(CONNECTION_PREFIX) and not holds_secret(name, value):
        return None
    return f"must not hold a secret in plain text; keep it in {place}"
