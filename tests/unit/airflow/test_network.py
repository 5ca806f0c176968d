# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The address of a container, whatever its /etc/hosts says."""

from __future__ import annotations

import ipaddress
import socket

import pytest
from sm2a_runtime import network


def test_the_host_name_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "gethostbyname", lambda _name: "127.0.0.1")
    address = ipaddress.ip_address(network.host_address())
    assert not address.is_loopback
    assert not address.is_unspecified


def test_the_interface_towards_the_route_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "FAR_AWAY", ("127.0.0.7", 9))
    assert network.host_address() == "127.0.0.1"


def test_without_a_route_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(network, "FAR_AWAY", ("255.255.255.255", 9))
    with pytest.raises(OSError):
        network.host_address()
