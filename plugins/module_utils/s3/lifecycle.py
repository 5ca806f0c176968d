# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Lifecycle rules of S3 buckets: between the shape of the module's option and the API's. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# option of a lifecycle rule -> where S3 keeps its number of days
RULE_DAYS = {
    "expiration_in_days": ("Expiration", "Days"),
    "noncurrent_version_expiration_in_days": ("NoncurrentVersionExpiration", "NoncurrentDays"),
    "abort_incomplete_multipart_upload_in_days": ("AbortIncompleteMultipartUpload", "DaysAfterInitiation"),
}
# Deletes markers of deleted objects whose versions are gone. S3 does it by itself where objects expire.
MARKER_OPTION, MARKER = "expired_object_delete_marker", "ExpiredObjectDeleteMarker"


def api_rule(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A lifecycle rule as the API wants it."""
    days = {parent: {child: rule[option]} for option, (parent, child) in RULE_DAYS.items() if rule.get(option)}
    if rule.get(MARKER_OPTION):
        days["Expiration"] = {MARKER: True}
    return {"ID": rule["id"], "Status": "Enabled", "Filter": {"Prefix": rule.get("prefix") or ""}, **days}


def rule_options(rule: Mapping[str, Any]) -> dict[str, Any]:
    """A lifecycle rule as an option; what the option cannot express is kept under its API name, so that it differs."""
    prefix = (rule.get("Filter") or {}).get("Prefix") or rule.get("Prefix") or ""
    known = {"ID", "Status", "Filter", "Prefix", *(parent for parent, _days in RULE_DAYS.values())}
    return {
        "id": rule.get("ID"),
        "prefix": prefix,
        **{option: (rule.get(parent) or {}).get(child) for option, (parent, child) in RULE_DAYS.items()},
        MARKER_OPTION: bool((rule.get("Expiration") or {}).get(MARKER)),
        **{key: value for key, value in rule.items() if key not in known and value},
        **({} if rule["Status"] == "Enabled" else {"Status": rule["Status"]}),
    }


def same_rules(current: list[dict[str, Any]], wanted: list[dict[str, Any]]) -> bool:
    """Whether two lists hold the same rules, in any order."""
    return sorted(current, key=lambda rule: str(rule["id"])) == sorted(wanted, key=lambda rule: str(rule["id"]))
