# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""MiniStack's environment variables. It reads most of them while it is imported, so this comes first."""

from __future__ import annotations

import os

from sm2a_local_aws.settings import ACCOUNT_ID, REGION, Settings

NO_ENGINE = "unix:///nonexistent/no-container-engine"


def prepare(settings: Settings) -> None:
    """Set what MiniStack reads in this process."""
    os.environ.update(
        {
            "GATEWAY_PORT": str(settings.port),
            "BIND_HOST": settings.bind_addresses[0],
            # QueueUrls and the like: one address that host and containers both reach.
            "MINISTACK_HOST": settings.bind_addresses[-1],
            "MINISTACK_HOSTNAME": f"local-aws-{settings.name}",
            "MINISTACK_REGION": REGION,
            "MINISTACK_ACCOUNT_ID": ACCOUNT_ID,
            "LOG_LEVEL": settings.log_level,
            # Listeners that we do not use stay closed.
            "IOT_MTLS_ENABLED": "0",
            "SFTP_ENABLED": "0",
            "USE_SSL": "0",
            "PERSIST_STATE": "0",
            # Nothing of the account goes to files of this machine.
            "S3_PERSIST": "0",
            "LOCALSTACK_PERSISTENCE": "0",
            "RDS_PERSIST": "1",
            "MINISTACK_DOCKER_TIMEOUT": "120",
            "DOCKER_HOST": settings.engine_socket or NO_ENGINE,
            "DOCKER_NETWORK": "" if settings.control_plane_only else settings.network,
            # MiniStack looks the network up in "its own" container: the anchor stands in for it.
            "HOSTNAME": settings.anchor_container,
        }
    )
