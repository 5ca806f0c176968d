# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""ECS Service Connect: the names under which a service's containers are found, as DNS aliases on the network."""

from __future__ import annotations

from typing import Any


def aliases(service: dict[str, Any] | None, definitions: list[dict[str, Any]]) -> list[str]:
    """The client aliases and discovery names of these containers' ports; none for a one-off task."""
    configuration = (service or {}).get("_deployment_fields", {}).get("serviceConnectConfiguration") or {}
    if not configuration.get("enabled"):
        return []
    ports = {port.get("name") for definition in definitions for port in definition.get("portMappings", [])}
    namespace = str(configuration.get("namespace") or "").rsplit("/", 1)[-1]
    names: list[str] = []
    for entry in configuration.get("services") or []:
        if entry.get("portName") not in ports:
            continue
        names += [alias["dnsName"] for alias in entry.get("clientAliases") or [] if alias.get("dnsName")]
        discovery = entry.get("discoveryName") or entry["portName"]
        names.append(f"{discovery}.{namespace}" if namespace else discovery)
    return list(dict.fromkeys(names))
