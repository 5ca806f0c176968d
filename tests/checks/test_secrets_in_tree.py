# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""No credential is in the repository: detect-secrets over every tracked file."""

from __future__ import annotations

import subprocess
from pathlib import Path

from ansible_collections.sm2a.airflow.tests.support.project import PROJECT
from detect_secrets import SecretsCollection
from detect_secrets.settings import transient_settings

# Detectors that know what a credential looks like. Those of high entropy and of telling names find digests, and the
# names of secrets: here a password is what a test makes up, and the next test is for the rest.
DETECTORS = (
    "AWSKeyDetector",
    "ArtifactoryDetector",
    "AzureStorageKeyDetector",
    "DiscordBotTokenDetector",
    "GitHubTokenDetector",
    "GitLabTokenDetector",
    "JwtTokenDetector",
    "NpmDetector",
    "OpenAIDetector",
    "PrivateKeyDetector",
    "PypiTokenDetector",
    "SendGridDetector",
    "SlackDetector",
    "StripeDetector",
    "TwilioKeyDetector",
)
# Names and passwords in URLs, apart from tests and examples, where they are made up.
EXAMPLES = ("tests/", "extensions/molecule/")
PASSWORDS_IN_URLS = {
    # Documentation and a sentence, with words in their places.
    "docker/autoscaler/README.md",
    "plugins/plugin_utils/inputs/rules/connections.py",
    # Format strings.
    "docker/airflow/sm2a_runtime/database/connection.py",
    "docker/autoscaler/sm2a_autoscaler/metadata/credentials.py",
    "inventories/local/group_vars/sm2a/secrets.yml",
}


def tracked() -> list[str]:
    names = subprocess.run(["git", "ls-files", "-z"], cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    return [name for name in names.split("\0") if name and (PROJECT / name).is_file()]


def found(names: list[str], *detectors: str) -> dict[str, set[str]]:
    """Kinds of secrets, by file."""
    secrets = SecretsCollection(root=str(PROJECT))
    with transient_settings({"plugins_used": [{"name": name} for name in detectors]}):
        for name in names:
            secrets.scan_file(name)
    return {name: {secret.type for secret in kinds} for name, kinds in secrets.data.items()}


def test_no_credential_in_the_tree() -> None:
    assert found(tracked(), *DETECTORS) == {}


def test_no_password_in_a_url() -> None:
    names = [name for name in tracked() if not name.startswith(EXAMPLES)]
    assert set(found(names, "BasicAuthDetector")) <= PASSWORDS_IN_URLS


def test_a_credential_would_be_found(tmp_path: Path) -> None:
    leak = tmp_path / "settings.py"
    leak.write_text(f'KEY = "{"AKIA" + "IOSFODNN7EXAMPLF"}"\nURL = "https://me:{"hunter2x"}@db.example.com"\n')
    assert {kind for kinds in found([str(leak)], *DETECTORS, "BasicAuthDetector").values() for kind in kinds} == {
        "AWS Access Key",
        "Basic Auth Credentials",
    }
