# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Migrate Airflow's tables and make the administrator. Importing this imports Airflow, which takes seconds."""

from dataclasses import dataclass, field

from airflow.configuration import conf
from airflow.providers.fab.auth_manager.cli_commands.utils import get_application_builder
from airflow.providers.fab.www.security.permissions import PREFIX_LIST
from airflow.utils.db import upgradedb
from werkzeug.security import check_password_hash

from sm2a_runtime.database.connection import schema_revisions
from sm2a_runtime.front_door.security_manager import failed_logins

ADMIN_ROLE = "Admin"


@dataclass(frozen=True)
class Administrator:
    """Who may do everything in Airflow."""

    username: str
    email: str
    password: str = field(repr=False)


def migrate_tables() -> bool:
    """Bring the tables of Airflow and of its sign-in to the versions of this image. Returns whether they changed."""
    uri = conf.get("database", "sql_alchemy_conn")
    before = schema_revisions(uri)
    upgradedb()
    after = schema_revisions(uri)
    print("tables: unchanged" if before == after else f"tables: from {before or 'nothing'} to {after}")
    made = failed_logins().ensure_table()
    if made:
        print("table of failed logins: created")
    return before != after or made


def dag_prefixes() -> list[str]:
    """How the names of what FAB gives rights on begin when that is a DAG or its runs."""
    return list(PREFIX_LIST)


def ensure_administrator(administrator: Administrator) -> bool:
    """Create the administrator, or give an existing one this password, address and role. Returns whether it changed."""
    with get_application_builder() as builder:
        manager = builder.sm
        role = manager.find_role(ADMIN_ROLE)
        user = manager.find_user(username=administrator.username)
        if user is None:
            manager.add_user(
                administrator.username, "SM2A", "Administrator", administrator.email, role, administrator.password
            )
            print(f"administrator {administrator.username}: created")
            return True
        changed = False
        if not check_password_hash(user.password, administrator.password):
            manager.reset_password(user.id, administrator.password)
            changed = True
        if user.email != administrator.email or role not in user.roles or not user.active:
            user.email, user.active = administrator.email, True
            user.roles = [*user.roles, role] if role not in user.roles else user.roles
            manager.update_user(user)
            changed = True
        print(f"administrator {administrator.username}: {'updated' if changed else 'unchanged'}")
        return changed
