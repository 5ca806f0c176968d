# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Prepare the metadata database for this image: `python -m sm2a_runtime.migrate`.

Makes the database users and the databases, migrates Airflow's tables, makes the administrator. Each step looks first
and changes only what differs, so it may run any number of times. The last line says `changed` or `unchanged`; on
failure it says why, and the exit status is 1.

Celery's results have a database of their own, which workers write and the scheduler reads, each as a user who may do
no more: workers run the code of DAG authors.
"""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sm2a_runtime.celery.result_tables import Base
from sm2a_runtime.database import mysql_setup, postgres_setup
from sm2a_runtime.database import users as database_users
from sm2a_runtime.database.setup import CA_BUNDLE, Database, Engine, Login, Server, wait_for_server
from sm2a_runtime.secret_store import read_json_secret

ENGINES: dict[str, Engine] = {"postgres": postgres_setup, "mysql": mysql_setup}


class SettingsError(Exception):
    """The environment lacks a setting or holds a wrong one."""


@dataclass(frozen=True)
class Settings:
    """What the environment says."""

    engine: Engine
    server: Server
    master_secret: str
    admin_secret: str
    wait_seconds: float
    database: str
    result_database: str
    # Secrets of Airflow's user, who owns both databases, and of those who use them.
    owner_secret: str
    workers_secret: str
    scheduler_secret: str
    autoscaler_secret: str
    triggerer_secret: str
    dag_processor_secret: str

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """From SM2A_* variables; raises SettingsError."""
        try:
            engine = environment["SM2A_DATABASE_ENGINE"]
            if engine not in ENGINES:
                raise ValueError(f"SM2A_DATABASE_ENGINE is {engine!r}, not one of {', '.join(ENGINES)}")
            return cls(
                engine=ENGINES[engine],
                server=Server(
                    environment["SM2A_DATABASE_ADDRESS"],
                    int(environment["SM2A_DATABASE_PORT"]),
                    verify=environment.get("SM2A_DATABASE_TLS_VERIFICATION", "true").lower() != "false",
                    ca_file=environment.get("SM2A_DATABASE_CA_FILE", CA_BUNDLE),
                ),
                master_secret=environment["SM2A_DATABASE_MASTER_SECRET"],
                admin_secret=environment["SM2A_ADMIN_SECRET"],
                wait_seconds=float(environment.get("SM2A_DATABASE_WAIT_SECONDS", "180")),
                database=environment["SM2A_DATABASE_NAME"],
                result_database=environment["SM2A_RESULT_DATABASE_NAME"],
                owner_secret=environment["SM2A_DATABASE_USER_SECRET"],
                workers_secret=environment["SM2A_RESULT_USER_SECRET"],
                scheduler_secret=environment["SM2A_RESULT_READER_SECRET"],
                autoscaler_secret=environment["SM2A_AUTOSCALER_USER_SECRET"],
                triggerer_secret=environment["SM2A_TRIGGERER_USER_SECRET"],
                dag_processor_secret=environment["SM2A_DAG_PROCESSOR_USER_SECRET"],
            )
        except KeyError as error:
            raise SettingsError(f"{error.args[0]} is not set") from None
        except ValueError as error:
            raise SettingsError(str(error)) from None


def migrate(settings: Settings) -> bool:
    """Do every step. Returns whether anything changed."""
    engine = settings.engine
    master, owner = read_login(settings.master_secret), read_login(settings.owner_secret)
    administrator = read_json_secret(settings.admin_secret, "username", "email", "password")
    metadata = Database(settings.server, master, owner, settings.database)
    wait_for_server(engine, settings.server, master, settings.wait_seconds)
    changed = [engine.ensure_database(metadata)]
    changed += prepare_results(settings, Database(settings.server, master, owner, settings.result_database))
    # Airflow reads its database URI when it is imported, so the steps above come first.
    airflow_setup = importlib.import_module("sm2a_runtime.database.airflow_setup")
    changed.append(airflow_setup.migrate_tables())
    # Now that all tables are there: a migration may also have made one anew.
    changed += share_metadata(settings, metadata, airflow_setup.dag_prefixes())
    changed.append(airflow_setup.ensure_administrator(airflow_setup.Administrator(**administrator)))
    return any(changed)


def share_metadata(settings: Settings, metadata: Database, dag_prefixes: Sequence[str]) -> list[bool]:
    """The users of Airflow's tables who are not their owner: those who run DAG authors' code, and the autoscaler."""
    engine, relations = settings.engine, settings.engine.relations(metadata)
    dag_processor = read_login(settings.dag_processor_secret)
    users = {
        read_login(settings.autoscaler_secret): database_users.AUTOSCALER,
        read_login(settings.triggerer_secret): database_users.rights_of(database_users.TRIGGERER, relations),
        dag_processor: database_users.rights_of(database_users.DAG_PROCESSOR, relations),
    }
    changed = [engine.ensure_rights(metadata, login, rights) for login, rights in users.items()]
    return [*changed, engine.ensure_dag_access(metadata, dag_processor, dag_prefixes)]


def prepare_results(settings: Settings, results: Database) -> list[bool]:
    """The database of Celery's results, its tables and its users. In earlier releases it belonged to the workers."""
    engine = settings.engine
    workers, scheduler = read_login(settings.workers_secret), read_login(settings.scheduler_secret)
    return [
        engine.take_over(results, workers, database_users.WORKERS),
        engine.ensure_database(results),
        engine.ensure_tables(results, Base.metadata),
        engine.ensure_rights(results, workers, database_users.WORKERS),
        engine.ensure_rights(results, scheduler, database_users.SCHEDULER),
    ]


def read_login(secret: str) -> Login:
    """The user and password in a secret."""
    return Login(**read_json_secret(secret, "username", "password"))


def quieten_airflow() -> None:
    """Let Airflow tell only what is wrong: it logs each of the hundreds of permissions that it creates."""
    os.environ.setdefault("AIRFLOW__LOGGING__LOGGING_LEVEL", "WARNING")
    os.environ.setdefault("AIRFLOW__LOGGING__FAB_LOGGING_LEVEL", "WARNING")


def main() -> int:
    """Run and tell."""
    quieten_airflow()
    try:
        changed = migrate(Settings.read(os.environ))
    except (Exception, SystemExit) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        print(f"migration failed: {type(error).__name__}: {reason}", file=sys.stderr)
        return 1
    print(f"migration: {'changed' if changed else 'unchanged'}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
