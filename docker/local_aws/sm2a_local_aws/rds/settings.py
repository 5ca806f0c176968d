# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Settings of DB instances that MiniStack drops when an instance is created, changed or restored."""

from __future__ import annotations

from typing import Any

from ministack.services import rds

Instance = dict[str, Any]
Parameters = dict[str, Any]

# Name in the request -> (name in the answer, type).
EVERYWHERE: dict[str, tuple[str, type]] = {
    "AutoMinorVersionUpgrade": ("AutoMinorVersionUpgrade", bool),
    "CACertificateIdentifier": ("CACertificateIdentifier", str),
    "DatabaseInsightsMode": ("DatabaseInsightsMode", str),
    "EnablePerformanceInsights": ("PerformanceInsightsEnabled", bool),
    "MonitoringInterval": ("MonitoringInterval", int),
    "PerformanceInsightsKMSKeyId": ("PerformanceInsightsKMSKeyId", str),
    "PerformanceInsightsRetentionPeriod": ("PerformanceInsightsRetentionPeriod", int),
    "PreferredBackupWindow": ("PreferredBackupWindow", str),
    "StorageThroughput": ("StorageThroughput", int),
}
# What RestoreDBInstanceFromDBSnapshot takes besides.
RESTORED: dict[str, tuple[str, type]] = {
    "CopyTagsToSnapshot": ("CopyTagsToSnapshot", bool),
    "DeletionProtection": ("DeletionProtection", bool),
    "EnableIAMDatabaseAuthentication": ("IAMDatabaseAuthenticationEnabled", bool),
    "MultiAZ": ("MultiAZ", bool),
    "PubliclyAccessible": ("PubliclyAccessible", bool),
    "StorageType": ("StorageType", str),
}


def keep(instance: Instance, parameters: Parameters, names: dict[str, tuple[str, type]]) -> None:
    """Set what the request names."""
    for name, (member, kind) in names.items():
        given = rds._p(parameters, name)
        if given:
            instance[member] = given == "true" if kind is bool else kind(given)


def insights_xml(instance: Instance, shown: str) -> str:
    """The members that MiniStack's answer lacks."""
    members = ""
    for name in ("DatabaseInsightsMode", "PerformanceInsightsKMSKeyId"):
        if instance.get(name) and f"<{name}>" not in shown:
            members += f"<{name}>{instance[name]}</{name}>"
    return members
