# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""What one local AWS is called, where it listens and which container engine it uses."""

from __future__ import annotations

import ipaddress
import json
from dataclasses import asdict, dataclass
from pathlib import Path

ACCOUNT_ID = "000000000000"
REGION = "eu-west-1"
LOOPBACK = "127.0.0.1"
# Every container, volume and network of a local AWS carries this label with its name.
LABEL = "sm2a.local-aws"
# Settings that are paths.
PATHS = ("state_directory", "record_rights", "waiting_times", "account")


@dataclass(frozen=True)
class Settings:
    """One local AWS. `engine_socket` is a Docker API address (`unix:///...`), None means control plane only."""

    name: str = "sm2a"
    state_directory: Path = Path(".sm2a/local_aws")
    port: int = 4566
    subnet: str = "10.91.0.0/24"
    engine_socket: str | None = None
    log_level: str = "INFO"
    # A file that every right that is asked for is written to (iam/recording.py).
    record_rights: Path | None = None
    # Without an engine the ports of load balancers are bound on demand only: many may run at once, all with port 443.
    bind_listeners: bool = False
    # Seconds that AWS takes for what, as JSON, and what they are multiplied by (waiting_times/states.py).
    waiting_times: Path | None = None
    time_scale: float = 1.0
    # How this account differs from what AWS gives to all, such as its quotas, as JSON (account.py).
    account: Path | None = None

    @property
    def control_plane_only(self) -> bool:
        return self.engine_socket is None

    @property
    def has_listener_ports(self) -> bool:
        return self.bind_listeners or not self.control_plane_only

    @property
    def gateway(self) -> str:
        """The bridge's address: host and containers both reach it."""
        return str(next(ipaddress.ip_network(self.subnet).hosts()))

    @property
    def bind_addresses(self) -> list[str]:
        return [LOOPBACK] if self.control_plane_only else [LOOPBACK, self.gateway]

    @property
    def endpoint_url(self) -> str:
        return f"http://{self.bind_addresses[-1]}:{self.port}"

    @property
    def network(self) -> str:
        return self.name

    @property
    def anchor_container(self) -> str:
        """The idle container that keeps the bridge up when no task runs."""
        return f"{self.name}-network-anchor"

    @property
    def labels(self) -> dict[str, str]:
        return {LABEL: self.name}

    @property
    def pid_file(self) -> Path:
        return self.state_directory / "local_aws.pid"

    @property
    def lock_file(self) -> Path:
        """Held locked by `serve` for as long as it lives: the truth about whether it runs."""
        return self.state_directory / "local_aws.lock"

    @property
    def log_file(self) -> Path:
        return self.state_directory / "local_aws.log"

    @property
    def settings_file(self) -> Path:
        return self.state_directory / "local_aws.json"

    @property
    def waits_file(self) -> Path:
        """What waited, when and how long."""
        return self.state_directory / "waits.jsonl"

    def to_json(self) -> str:
        values = asdict(self)
        for name in PATHS:
            values[name] = str(values[name]) if values[name] else None
        return json.dumps(values, indent=2) + "\n"

    @classmethod
    def from_json(cls, text: str) -> Settings:
        values = json.loads(text)
        for name in PATHS:
            values[name] = Path(values[name]) if values.get(name) else None
        return cls(**values)


_current: list[Settings] = []


def activate(settings: Settings) -> None:
    """Make these the settings of this process; `serve` calls it once, before anything of MiniStack is imported."""
    _current[:] = [settings]


def current() -> Settings:
    return _current[0]
