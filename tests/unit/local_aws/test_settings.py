# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Addresses and names follow from few settings."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest
from sm2a_local_aws import command_line, environment
from sm2a_local_aws.settings import Settings


def test_with_an_engine_the_endpoint_is_the_gateway() -> None:
    settings = Settings(engine_socket="unix:///x", subnet="10.50.0.0/24", port=4999)
    assert settings.gateway == "10.50.0.1"
    assert settings.bind_addresses == ["127.0.0.1", "10.50.0.1"]
    assert settings.endpoint_url == "http://10.50.0.1:4999"


def test_without_an_engine_only_loopback_is_bound() -> None:
    settings = Settings(port=4999)
    assert settings.control_plane_only
    assert settings.bind_addresses == ["127.0.0.1"]
    assert settings.endpoint_url == "http://127.0.0.1:4999"


def test_settings_survive_their_file() -> None:
    settings = Settings("x", Path("/y"), engine_socket="unix:///z", bind_listeners=True)
    settings = replace(settings, record_rights=Path("/r"), account=Path("/a"), waiting_times=Path("/w"))
    assert Settings.from_json(settings.to_json()) == settings


def test_flags_have_environment_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SM2A_LOCAL_AWS_PORT", "4711")
    monkeypatch.setenv("SM2A_LOCAL_AWS_ENGINE_SOCKET", "unix:///z")
    settings = command_line._settings(command_line._parser().parse_args(["serve", "--name", "other"]))
    assert (settings.port, settings.engine_socket, settings.name) == (4711, "unix:///z", "other")


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        ([], "give --engine-socket unix:///path/to/socket, or --control-plane-only"),
        (["--control-plane-only", "--subnet", "10.0.0.0/99"], "--subnet is not a network"),
    ],
)
def test_unusable_flags_are_one_line(flags: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["serve", *flags]) == 1
    assert capsys.readouterr().err.startswith(f"local AWS: {message}")


def test_ministack_opens_no_other_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    changed: dict[str, str] = {}
    monkeypatch.setattr(os, "environ", changed)
    environment.prepare(Settings(engine_socket="unix:///x"))
    assert (changed["IOT_MTLS_ENABLED"], changed["SFTP_ENABLED"], changed["USE_SSL"]) == ("0", "0", "0")
    assert changed["BIND_HOST"] == "127.0.0.1"
