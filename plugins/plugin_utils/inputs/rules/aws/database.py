# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What RDS refuses of a database: its version, names, storage and windows, alone and together. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.shapes import (
    items,
    matching,
    member,
    number,
    of_text,
    shown,
    text,
)
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.aws.table import JointRule, Rule, same

INSTANCE = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_CreateDBInstance.html"
CLASSES = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Concepts.DBInstanceClass.html"
STORAGE = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Storage.html"
GROWTH = "https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/USER_PIOPS.Autoscaling.html"
POSTGRES_NAMES = "https://www.postgresql.org/docs/current/sql-createrole.html"
PARAMETERS = "https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_Parameter.html"
STORED = "https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html"
AIRFLOW_VERSIONS = "https://airflow.apache.org/docs/apache-airflow/stable/installation/prerequisites.html"

PEM = "https://www.rfc-editor.org/rfc/rfc7468#section-5"

SUPPORTED = {"postgres": ("13", "14", "15", "16", "17", "18"), "mysql": ("8.0", "8.4")}
NAMED = {"postgres": "PostgreSQL 13 to 18", "mysql": "MySQL 8.0 or 8.4"}
LOGS = {
    "postgres": ("postgresql", "upgrade", "iam-db-auth-error"),
    "mysql": ("audit", "error", "general", "slowquery", "iam-db-auth-error"),
}
LONGEST_DATABASE = {"postgres": 63, "mysql": 64}
# From this size on gp3 has 12000 IOPS and 500 MiB per second, and more on request.
STRIPED_GIB, FEWEST_IOPS, MOST_IOPS = 400, 12000, 64000
PROVISIONED = ("io1", "io2")
CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----")
# A task definition has 64 KiB for all that is in it: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-quotas.html
LONGEST_CERTIFICATES = 32_000

Values = Mapping[str, Any]


def of_instance(judge: Callable[[Values], str | None]) -> Callable[[Values], str | None]:
    """A rule that does not matter for a database that somebody else manages."""
    return lambda values: None if values.get("database_existing") else judge(values)


def _engine(values: Values) -> str:
    engine = text(values, "database_engine", "postgres")
    return engine if engine in SUPPORTED else "postgres"


def _version(values: Values) -> str | None:
    version, engine = text(values, "database_engine_version"), _engine(values)
    if not version or any(version == one or version.startswith(f"{one}.") for one in SUPPORTED[engine]):
        return None
    return f"must be a version of {NAMED[engine]}, which Airflow supports, not {shown(version)}"


def _storage(values: Values) -> str | None:
    kind, size = text(values, "database_storage_type", "gp3"), number(values, "database_allocated_storage", 20)
    if kind in PROVISIONED and size < 100:
        return f"storage of type {kind} must have 100 GiB or more, not {size}"
    return None


def _growth(values: Values) -> str | None:
    size, most = number(values, "database_allocated_storage", 20), number(values, "database_max_allocated_storage", 100)
    if most * 10 >= size * 11:
        return None
    least = -(-size * 11 // 10)
    return f"the maximum must be at least 10 percent above the initial {size} GiB, so {least} or more, not {most}"


def _iops(values: Values) -> str | None:
    kind, size = text(values, "database_storage_type", "gp3"), number(values, "database_allocated_storage", 20)
    iops = number(values, "database_iops")
    if iops is None:
        return f"must be set for storage of type {kind}" if kind in PROVISIONED else None
    if kind == "gp2":
        return "must not be set for storage of type gp2; take gp3, io1 or io2"
    if kind == "gp3" and size < STRIPED_GIB:
        return f"must not be set for gp3 below {STRIPED_GIB} GiB, not with {size}; leave it out, or take more storage"
    if kind == "gp3" and not FEWEST_IOPS <= iops <= MOST_IOPS:
        return f"must be {FEWEST_IOPS} to {MOST_IOPS} for gp3, not {iops}; leave it out for {FEWEST_IOPS}"
    if kind == "io1" and not size / 2 <= iops <= size * 50:
        return f"must be 0.5 to 50 times the storage for io1, so {-(-size // 2)} to {size * 50}, not {iops}"
    return None


def _throughput(values: Values) -> str | None:
    kind, size = text(values, "database_storage_type", "gp3"), number(values, "database_allocated_storage", 20)
    if number(values, "database_storage_throughput") is None or (kind == "gp3" and size >= STRIPED_GIB):
        return None
    return f"must only be set for gp3 from {STRIPED_GIB} GiB on, not for {kind} with {size}; leave it out"


def _monitoring(values: Values) -> str | None:
    if not text(values, "database_monitoring_role_arn") or values.get("database_monitoring_interval", 60) != 0:
        return None
    return "must not be 0 with a role for it; leave the role out, or set 1, 5, 10, 15, 30 or 60"


def _logs(values: Values) -> str | None:
    known = LOGS[_engine(values)]
    wrong = [str(log) for log in items(values, "database_cloudwatch_logs_exports") if log not in known]
    return f"must be of {', '.join(known)} for {_engine(values)}, not {', '.join(wrong)}" if wrong else None


def _database_name(values: Values) -> str | None:
    return NAME(text(values, "database_name"))


def _database_names(values: Values) -> str | None:
    engine = _engine(values)
    for option in ("database_name", "database_result_name"):
        if len(text(values, option)) > LONGEST_DATABASE[engine]:
            return f"must have at most {LONGEST_DATABASE[engine]} characters with {engine}, not more"
    return None


def _master(values: Values) -> str | None:
    name, engine = text(values, "database_master_username").lower(), _engine(values)
    reserved = name == "rdsadmin" or (engine == "postgres" and (name == "admin" or name.startswith("pg_")))
    return (
        f"must not be {name!r}, which {engine} keeps for itself; take another, such as sm2a_admin" if reserved else None
    )


def _users(values: Values) -> str | None:
    for name in (text(values, "database_username"), text(values, "database_result_name")):
        if (name.startswith("pg_") and _engine(values) == "postgres") or name == "rdsadmin":
            return f"must not be {name!r}, which the engine keeps for itself; choose another"
    return None


def _parameters(value: Any) -> str | None:
    found = []
    for name, given in value.items() if isinstance(value, Mapping) else ():
        if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z0-9_.-]+", name):
            found.append(f"names must be letters, digits and _.-, not {shown(name)}")
        elif not isinstance(given, (str, int, float)):
            found.append(f"{name} must be text, a number or a boolean, not a {type(given).__name__}")
    return "; ".join(found) or None


SECRET_PART = matching(r"[A-Za-z0-9_+=.@-]+", "letters, digits and _+=.@-, as names of secrets are")
NAME = matching(r"[A-Za-z][A-Za-z0-9_]*", "letters, digits and underscores that begin with a letter")


def _certificates(given: str) -> str | None:
    """Nothing of it is repeated: it may be the wrong file."""
    if "PRIVATE KEY" in given:
        return "must be certificates only, and no private key"
    if not CERTIFICATE.search(given):
        return "must be certificates in PEM, which begin with -----BEGIN CERTIFICATE-----; a file is read by lookup"
    if len(given) > LONGEST_CERTIFICATES:
        return f"must have at most {LONGEST_CERTIFICATES} characters, not {len(given)}: only what signed the server's"
    return None


def _unused_certificates(values: Values) -> str | None:
    existing = values.get("database_existing")
    given = isinstance(existing, Mapping) and existing.get("ca_certificates")
    if not given or values.get("database_tls_verification") is not False:
        return None
    return "nothing is verified with ca_certificates while verification is off; set database_tls_verification to true"


RULES: list[Rule] = [
    Rule("database_existing", PEM, member("ca_certificates", of_text(_certificates))),
    Rule("database_parameters", PARAMETERS, _parameters),
    Rule("database_instance_class", CLASSES, matching(r"db(\.[a-z0-9-]+){2,}", "a class such as db.t4g.medium")),
    # The passwords of these users are in secrets of their names.
    *same(STORED, SECRET_PART, "database_username", "database_result_name"),
    Rule(
        "database_master_username",
        INSTANCE,
        matching(r"[A-Za-z]\w{0,15}", "1 to 16 letters, digits and underscores that begin with a letter"),
    ),
]
JOINT_RULES: list[JointRule] = [
    JointRule(("database_engine_version", "database_engine"), AIRFLOW_VERSIONS, _version),
    JointRule(("database_allocated_storage", "database_storage_type"), INSTANCE, of_instance(_storage)),
    JointRule(("database_max_allocated_storage", "database_allocated_storage"), GROWTH, of_instance(_growth)),
    JointRule(("database_iops", "database_storage_type"), STORAGE, of_instance(_iops)),
    JointRule(("database_storage_throughput", "database_storage_type"), STORAGE, of_instance(_throughput)),
    JointRule(("database_monitoring_interval", "database_monitoring_role_arn"), INSTANCE, of_instance(_monitoring)),
    JointRule(("database_cloudwatch_logs_exports", "database_engine"), INSTANCE, of_instance(_logs)),
    JointRule(("database_name",), INSTANCE, of_instance(_database_name)),
    JointRule(("database_name", "database_result_name", "database_engine"), INSTANCE, _database_names),
    JointRule(("database_master_username", "database_engine"), INSTANCE, of_instance(_master)),
    JointRule(("database_username", "database_result_name"), POSTGRES_NAMES, _users),
    JointRule(("database_existing", "database_tls_verification"), PEM, _unused_certificates),
]
