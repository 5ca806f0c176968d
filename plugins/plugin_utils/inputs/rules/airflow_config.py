# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Which options of Airflow a user may set: those that SM2A owns and those that are secret are refused. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.quotes import unquoted
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_option_names import OPTIONS, SENSITIVE
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_option_values import value_problem

# Option -> what to use instead; "" when there is nothing to choose.
OWNED: dict[tuple[str, str], str] = {
    ("core", "executor"): "",
    ("core", "auth_manager"): "",
    ("core", "execution_api_server_url"): "",
    ("core", "hostname_callable"): "",
    ("core", "dags_folder"): "airflow_dags_source",
    ("core", "plugins_folder"): "images_project_directory",
    ("api", "base_url"): "load_balancer_domain_name",
    ("api", "host"): "",
    ("api", "port"): "",
    ("api", "ssl_cert"): "load_balancer_certificate_arn",
    ("api", "ssl_key"): "load_balancer_certificate_arn",
    ("api_auth", "jwt_issuer"): "",
    ("api_auth", "jwt_expiration_time"): "airflow_token_minutes",
    ("fab", "session_lifetime_minutes"): "airflow_session_idle_minutes",
    ("fab", "session_max_lifetime_minutes"): "airflow_session_minutes",
    ("secrets", "backend"): "",
    ("workers", "secrets_backend"): "",
    ("operators", "default_queue"): "the queue of the first of airflow_worker_groups",
    ("logging", "base_log_folder"): "",
    ("logging", "logging_config_class"): "",
    ("logging", "remote_logging"): "",
    ("logging", "remote_base_log_folder"): "",
    ("logging", "remote_log_conn_id"): "",
    ("logging", "worker_log_server_port"): "",
    ("logging", "trigger_log_server_port"): "",
    ("database", "sql_alchemy_connect_args_async"): "",
    ("celery", "celery_config_options"): "",
    ("celery", "extra_celery_config"): "",
    ("celery", "task_acks_late"): "",
    ("celery", "worker_autoscale"): "min and max of airflow_worker_groups",
    ("celery", "worker_concurrency"): "concurrency of airflow_worker_groups",
    ("celery", "worker_enable_remote_control"): "",
    ("celery", "worker_prefetch_multiplier"): "",
    ("celery_broker_transport_options", "predefined_queues"): "airflow_worker_groups",
    ("celery_broker_transport_options", "region"): "sm2a_region",
    ("celery_broker_transport_options", "visibility_timeout"): "broker_visibility_timeout",
    ("scheduler", "enable_health_check"): "",
    ("scheduler", "task_queued_timeout"): "broker_task_queued_timeout",
    ("dag_processor", "dag_bundle_config_list"): "airflow_dags_source",
    ("dag_processor", "dag_bundle_storage_path"): "",
}
# Of these, what SM2A sets itself.
OWN_SECRETS = SENSITIVE - {
    ("atlas", "password"),
    ("core", "asset_manager_kwargs"),
    ("database", "sql_alchemy_engine_args"),
    ("logging", "remote_task_handler_kwargs"),
    ("opensearch", "password"),
    ("sentry", "sentry_dsn"),
}
# Sections whose options go to a library as they are.
FREE_SECTIONS = (
    "celery_broker_transport_options",
    "celery_result_backend_transport_options",
    "elasticsearch_configs",
    "opensearch_configs",
)
SECTION = re.compile(r"[a-z][a-z0-9_.]*")
NAME = re.compile(r"[a-z][a-z0-9_]*")
SECRET_NAME = re.compile(r"[A-Za-z0-9_.-]+")
# Variables of a container that are not the user's to set.
OWN_VARIABLES = (
    "AWS_REGION",
    "AWS_DEFAULT_REGION",
    "AIRFLOW_CONFIG",
    "AIRFLOW_HOME",
    "FORWARDED_ALLOW_IPS",
    "PYTHONPATH",
)
# Celery takes some before its settings: with another result backend, workers could run code in the scheduler.
OWN_PREFIXES = ("SM2A_", "ECS_", "CELERY_")
CREDENTIALS = ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE")


def option_problem(section: str, option: str) -> str | None:
    """Why this option may not be set in plain text, or None."""
    base = re.sub(r"_(cmd|secret)$", "", option)
    if (section, option) in SENSITIVE or (section, base) in SENSITIVE or option.endswith("_cmd"):
        hint = "SM2A sets it" if (section, base) in OWN_SECRETS else "name its secret in airflow_config_secrets"
        return f"is a secret and belongs in Secrets Manager ({hint})"
    if (section, option) in OWNED:
        instead = OWNED[section, option]
        return "is set by SM2A" + (f"; use {instead}" if instead else "")
    return None


def misspelling(section: str, option: str) -> str | None:
    """The known name that is nearly this one, as a sentence, or None. Other names may be those of a provider."""
    if section not in OPTIONS:
        close = difflib.get_close_matches(section, list(OPTIONS), n=1, cutoff=0.8)
        return f"Airflow has no section {section}; did you mean {close[0]}?" if close else None
    known = OPTIONS[section].split()
    if option in known or section in FREE_SECTIONS:
        return None
    close = difflib.get_close_matches(re.sub(r"_(cmd|secret)$", "", option), known, n=1, cutoff=0.8)
    return f"section {section} of Airflow has no such option; did you mean {close[0]}?" if close else None


def config_warnings(config: Mapping[str, Any]) -> list[str]:
    """One sentence for each entry of airflow_config that neither Airflow nor a provider in the image knows."""
    return [
        f"airflow_config.{section}.{option}: Airflow and the providers of the image have no such option. Keep it only "
        "for a package of yours that reads it."
        for section, options in config.items()
        if isinstance(options, Mapping) and section not in FREE_SECTIONS
        for option in options
        if option not in OPTIONS.get(str(section), "").split()
    ]


def config_problems(config: Mapping[str, Any]) -> list[str]:
    """One sentence for each entry of airflow_config that is refused; values are not repeated."""
    problems: list[str] = []
    for where, section, option, value in _entries("airflow_config", config, problems):
        reason = option_problem(section, option) or misspelling(section, option)
        if reason := reason or _plain_problem(value) or value_problem(section, option, value):
            problems.append(f"{where}: {reason}")
    return problems


def _plain_problem(value: Any) -> str | None:
    """Why this is no value of one line, as environment variables have them."""
    if isinstance(value, (str, int, float)):
        return None
    return unquoted(value) or "must be a string, number or boolean; write lists and dictionaries as JSON strings"


def config_secret_problems(secrets: Mapping[str, Any]) -> list[str]:
    """One sentence for each entry of airflow_config_secrets that is refused."""
    problems: list[str] = []
    for where, section, option, value in _entries("airflow_config_secrets", secrets, problems):
        if (section, option) in OWN_SECRETS:
            problems.append(f"{where}: is set by SM2A and cannot be changed")
        elif (section, option) not in SENSITIVE:
            problems.append(f"{where}: Airflow reads no such option from Secrets Manager; use airflow_config")
        elif not isinstance(value, str) or not SECRET_NAME.fullmatch(value):
            problems.append(f"{where}: must be the last part of the name of a secret below airflow_config_prefix")
    return problems


def _entries(variable: str, sections: Any, problems: list[str]) -> Iterator[tuple[str, str, str, Any]]:
    if not isinstance(sections, Mapping):
        problems.append(f"{variable}: must be a dictionary of sections")
        return
    for section, options in sections.items():
        if not isinstance(options, Mapping):
            problems.append(f"{variable}.{section}: must be a dictionary of options")
            continue
        for option, value in options.items():
            where = f"{variable}.{section}.{option}"
            if not SECTION.fullmatch(str(section)) or not NAME.fullmatch(str(option)):
                problems.append(f"{where}: section and option must be lower-case words joined by underscores")
            else:
                yield where, str(section), str(option), value


def environment_problems(where: str, environment: Mapping[str, Any]) -> list[str]:
    """One sentence for each extra variable of a worker group that is refused."""
    problems: list[str] = []
    for name, value in environment.items():
        if reason := _variable_problem(str(name)) or _plain_problem(value) or _text_problem(str(name), value):
            problems.append(f"{where}.{name}: {reason}")
    return problems


def _text_problem(name: str, value: Any) -> str | None:
    """Why the variable cannot have this value: the type of an option of Airflow, or else text."""
    option = _option_of(name)
    return value_problem(*option, value) if option else unquoted(value)


def _option_of(name: str) -> tuple[str, str] | None:
    """The section and option of Airflow that an environment variable sets."""
    parts = name.lower().split("__")
    return (parts[1], parts[2]) if len(parts) == 3 and parts[0] == "airflow" else None


def _variable_problem(name: str) -> str | None:
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        return "is no name of an environment variable"
    if name in CREDENTIALS:
        return "is a credential; use policy_statements or policy_arns of the group"
    if name in OWN_VARIABLES or name.startswith(OWN_PREFIXES):
        return "is set by SM2A"
    option = _option_of(name)
    return option_problem(*option) or misspelling(*option) if option else None
