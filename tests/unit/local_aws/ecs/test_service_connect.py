# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Under which names a service is found."""

from __future__ import annotations

from sm2a_local_aws.ecs import service_connect


def test_service_connect_names() -> None:
    configuration = {
        "enabled": True,
        "namespace": "arn:aws:servicediscovery:eu-west-1:000000000000:namespace/space",
        "services": [
            {"portName": "http", "clientAliases": [{"port": 8080, "dnsName": "api-server"}]},
            {"portName": "other", "clientAliases": [{"port": 1, "dnsName": "elsewhere"}]},
        ],
    }
    service = {"_deployment_fields": {"serviceConnectConfiguration": configuration}}
    ports = [{"portMappings": [{"name": "http", "containerPort": 8080}]}]
    assert service_connect.aliases(service, ports) == ["api-server", "http.space"]
    assert service_connect.aliases(None, ports) == []
