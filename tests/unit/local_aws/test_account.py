# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The file that says how the account differs is checked at the start and read anew at every look."""

from __future__ import annotations

from pathlib import Path

import pytest
from sm2a_local_aws import account, command_line, settings
from sm2a_local_aws.errors import LocalAwsError
from sm2a_local_aws.settings import Settings


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (None, "cannot be read"),
        ("{", "cannot be read"),
        ("[]", "must be a JSON object of objects, by quotas and endpoint_service_zones"),
        ('{"quotas": 3}', "must be a JSON object of objects"),
        ('{"quota": {}}', "has quota: only quotas and endpoint_service_zones are known"),
    ],
)
def test_a_wrong_file_is_refused_at_the_start(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str | None, message: str
) -> None:
    file = tmp_path / "account.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(LocalAwsError, match=message):
        account.read(file)
    assert command_line.main(["serve", "--control-plane-only", "--account", str(file)]) == 1
    assert message in capsys.readouterr().err


def test_it_is_read_at_every_look(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "account.json"
    monkeypatch.setattr(settings, "_current", [Settings(account=file)])
    for value in (1, 2):
        file.write_text(f'{{"quotas": {{"L-F678F1CE": {value}}}}}')
        assert account.part("quotas") == {"L-F678F1CE": value}
    assert account.part("endpoint_service_zones") == {}
    monkeypatch.setattr(settings, "_current", [Settings()])
    assert account.part("quotas") == {}
