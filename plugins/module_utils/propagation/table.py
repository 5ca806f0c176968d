# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The table: what AWS may not know for a moment after each create, its answer, how long, and the source of that.

The modules wait by it (``memory``), and the local AWS lags by it (its flag ``--late-answers``). Not in it, because no
single answer tells it, are lists that are late: who decides by a list looks again (``ec2.resources.settle``,
``create_or_replace``), and who has made something finds it in what the create answered. Neither is what a deletion
leaves behind: that is in the module that deletes; and a change of a DB instance that begins late:
``rds.instances.wait_until_begun``.
"""

from __future__ import annotations

from functools import cache

from ansible_collections.sm2a.airflow.plugins.module_utils.propagation import (
    access,
    front_door,
    network,
    services,
    stores,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.propagation.model import Create, Late

CREATES: tuple[Create, ...] = (
    *network.CREATES,
    *access.CREATES,
    *stores.CREATES,
    *front_door.CREATES,
    *services.CREATES,
)


@cache
def late_at(service: str) -> tuple[tuple[Create, Late], ...]:
    """What calls of a service may answer, and after which create."""
    return tuple((create, late) for create in CREATES for late in create.late if late.service == service)
