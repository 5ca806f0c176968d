# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""An address that this machine reaches and does not have, as that of a task: in a network namespace beside its own."""

from __future__ import annotations

import ctypes
import ipaddress
import os
import secrets
import socket
import subprocess
from concurrent.futures import ThreadPoolExecutor

from ansible_collections.sm2a.airflow.tools.debian import installed

# Of <linux/sched.h>. Python has os.unshare from 3.12 on.
CLONE_NEWNET = 0x40000000
# A network of carriers, which a private network hardly uses. A link takes four of its addresses.
CARRIERS = ipaddress.IPv4Network("100.64.0.0/10")
LINK = 4


def listen_elsewhere() -> socket.socket:
    """A listening socket on an address of its own; root makes it. All that it needs goes when it is closed."""
    # By chance, so that test runs side by side do not meet.
    number = secrets.randbelow(CARRIERS.num_addresses // LINK)
    here, there = (CARRIERS[LINK * number + offset] for offset in (1, 2))
    interface = f"sm2a-{number}"
    # A thread that has gone into another network namespace stays there: this one ends with it.
    with ThreadPoolExecutor(1) as thread:
        listener = thread.submit(_listen_in_a_new_namespace, str(there), interface).result()
    _ip("address", "add", f"{here}/30", "dev", interface)
    _ip("link", "set", interface, "up")
    return listener


def _listen_in_a_new_namespace(address: str, interface: str) -> socket.socket:
    """``interface`` is the other end of its only link, in the network namespace of this process."""
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "cannot make a network namespace; the tests need root")
    _ip("link", "add", "eth0", "type", "veth", "peer", "name", interface, "netns", str(os.getpid()))
    _ip("address", "add", f"{address}/30", "dev", "eth0")
    _ip("link", "set", "eth0", "up")
    return socket.create_server((address, 0))


def _ip(*words: str) -> None:
    subprocess.run([installed("ip", "iproute2"), *words], check=True)
