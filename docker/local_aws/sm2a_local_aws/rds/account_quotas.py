# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""RDS tells its own quotas, with what is in use.

https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_AccountQuota.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from ministack.services import rds

from sm2a_local_aws.patching.points import relies_on
from sm2a_local_aws.quotas import applied, usage

relies_on("ministack.services.rds", {"_xml": "000ddabb91b7"})

NAME = "DescribeAccountAttributes"
# RDS's name of a quota -> its code and what is in use.
QUOTAS: Mapping[str, tuple[str, Callable[[], int]]] = {
    "DBInstances": ("L-7B6409FD", usage.db_instances),
    "AllocatedStorage": ("L-7ADDB58A", usage.db_storage),
    "DBSubnetGroups": ("L-48C6BF61", usage.db_subnet_groups),
    "DBParameterGroups": ("L-DE55804A", usage.db_parameter_groups),
    "ManualSnapshots": ("L-272F1212", usage.manual_snapshots),
}


def describe_account_attributes(_parameters: dict[str, Any]) -> Any:
    """All of them."""
    listed = "".join(
        f"<AccountQuota><AccountQuotaName>{name}</AccountQuotaName><Used>{used()}</Used>"
        f"<Max>{applied.value_of(code):.0f}</Max></AccountQuota>"
        for name, (code, used) in QUOTAS.items()
    )
    return rds._xml(200, f"{NAME}Response", f"<{NAME}Result><AccountQuotas>{listed}</AccountQuotas></{NAME}Result>")


rds._ACTION_MAP[NAME] = describe_account_attributes
