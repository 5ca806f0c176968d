# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What RDS and IAM tell of their quotas themselves, besides Service Quotas."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.services import rds

from sm2a_local_aws.patching.points import relies_on, replaces
from sm2a_local_aws.quotas import applied, usage
from sm2a_local_aws.rds import snapshots

ROLES = "L-FE177D64"
# https://docs.aws.amazon.com/AmazonRDS/latest/APIReference/API_AccountQuota.html
OF_RDS: dict[str, tuple[str, Callable[[], int]]] = {
    "AllocatedStorage": ("L-7ADDB58A", usage.db_storage),
    "DBInstances": ("L-7B6409FD", usage.db_instances),
    "DBParameterGroups": ("L-DE55804A", usage.db_parameter_groups),
    "DBSubnetGroups": ("L-48C6BF61", usage.db_subnet_groups),
    "ManualSnapshots": (snapshots.MANUAL_SNAPSHOTS, snapshots.manual_snapshots),
}

relies_on("ministack.services.rds", {"_xml": "000ddabb91b7"})


def describe_account_attributes(_parameters: dict[str, Any]) -> Any:
    """The quotas of RDS that are known here."""
    quotas = "".join(
        f"<AccountQuota><AccountQuotaName>{name}</AccountQuotaName><Used>{used()}</Used>"
        f"<Max>{applied.value_of(code):g}</Max></AccountQuota>"
        for name, (code, used) in OF_RDS.items()
    )
    name = "DescribeAccountAttributes"
    result = f"<{name}Result><AccountQuotas>{quotas}</AccountQuotas></{name}Result>"
    return rds._xml(200, f"{name}Response", result)


rds._ACTION_MAP["DescribeAccountAttributes"] = describe_account_attributes


@replaces("ministack.services.iam:_get_account_summary", "d30b1c51daa7")
def get_account_summary(original: Callable[[dict[str, Any]], Any], parameters: dict[str, Any]) -> Any:
    """MiniStack has AWS's default quota of roles in it."""
    status, headers, body = original(parameters)
    default, own = (
        f"<key>RolesQuota</key><value>{value}</value>" for value in ("1000", f"{applied.value_of(ROLES):.0f}")
    )
    return status, headers, body.replace(default.encode(), own.encode())
