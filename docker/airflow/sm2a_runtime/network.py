# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Under which address this container is known: to Airflow (`[core] hostname_callable`) and to the health checks."""

import socket

# Of the block that RFC 5737 keeps for documentation: it is beyond the default route, and nothing is sent there.
FAR_AWAY = ("192.0.2.1", 9)


def host_address() -> str:
    """The IPv4 address of the interface with the default route, at which other tasks reach this one.

    Not what the host's own name resolves to: containers that share a network may have it in /etc/hosts as 127.0.0.1,
    and all of them would be the same host to Airflow. OSError where there is no default route.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(FAR_AWAY)
        return str(probe.getsockname()[0])
