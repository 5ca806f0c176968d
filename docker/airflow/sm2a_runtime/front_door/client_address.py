# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Whose request it is, by what the load balancer says."""

import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# `192.0.2.1`, `192.0.2.1:55`, `2001:db8::1`, `[2001:db8::1]`, `[2001:db8::1]:55`
HOP = re.compile(r"\[?(?P<address>(?:[0-9a-fA-F:.]*:){2}[0-9a-fA-F:.]*|[0-9.]+)\]?(?::\d+)?")
# A customer of an Internet provider has at least so much of IPv6, and any address in it.
IPV6_PREFIX = 64


def networks(texts: str) -> list[Network]:
    """Networks of a list with commas."""
    return [ip_network(text.strip()) for text in texts.split(",") if text.strip()]


def client_address(forwarded_for: str | None, peer: str, trusted: Sequence[Network]) -> str:
    """The address, or IPv6 network, that sent the request.

    The load balancer adds the address that it sees at the end of X-Forwarded-For; what stands before it is the client's
    own story, unless the address is that of a trusted proxy. Without the header it is the peer.
    """
    client = peer
    for hop in reversed((forwarded_for or "").split(",")):
        address = _address(hop)
        if address is None:
            break
        client = _subscriber(address)
        if not any(address in network for network in trusted):
            break
    return client


def _address(hop: str) -> Address | None:
    match = HOP.fullmatch(hop.strip())
    try:
        return ip_address(match["address"]) if match else None
    except ValueError:
        return None


def _subscriber(address: Address) -> str:
    if isinstance(address, IPv4Address):
        return str(address)
    if address.ipv4_mapped:
        return str(address.ipv4_mapped)
    return str(ip_network((address, IPV6_PREFIX), strict=False))
