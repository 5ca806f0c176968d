# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Secrets in plain text: in URLs, in options of Airflow and in environments of workers. No sentence repeats one."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow import problems as airflow_problems
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.airflow_option_names import SENSITIVE
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.plain_secrets import URLS, problems
from ansible_collections.sm2a.airflow.plugins.plugin_utils.inputs.rules.secret_names import is_secret_name

# Stands in secrets only, so that no sentence may contain it.
CANARY = "birdsong"
URLS_WITH_SECRETS = [
    f"https://{CANARY}@git.example.com/team/dags.git",
    f"https://{CANARY}:@git.example.com/team/dags.git",
    f"https://user:{CANARY}@git.example.com/team/dags.git",
    f"https://:{CANARY}@git.example.com/team/dags.git",
    f"https://oauth2:{CANARY}@git.example.com/team/dags.git",
    f"https://x-access-token:{CANARY}@git.example.com/team/dags.git",
    f"HTTPS://{CANARY}@git.example.com/team/dags.git",
    f"  https://{CANARY}@git.example.com/team/dags.git",
    f"git+https://{CANARY}@git.example.com/team/dags.git",
    f"http://{CANARY}@git.example.com",
    f"https://{CANARY}%40git.example.com/team/dags.git",
    f"https://%62irdsong:{CANARY}@git.example.com/dags.git",
    f"https://user:{CANARY}/x@git.example.com/dags.git",
    f"https://user:{CANARY}@x@git.example.com/dags.git",
    f"https:/{CANARY}@git.example.com/dags.git",
    f"https:\\\\{CANARY}@git.example.com\\dags.git",
    f"https://{CANARY}@[2001:db8::1]:8443/dags.git",
    f"https://git.example.com/team/dags.git?token={CANARY}",
    f"https://git.example.com/team/dags.git?ref=main&access_token={CANARY}",
    f"https://git.example.com/team/dags.git?private_token={CANARY}",
    f"https://git.example.com/team/dags.git?PRIVATE-TOKEN={CANARY}",
    f"https://git.example.com/team/dags.git?private%5Ftoken={CANARY}",
    f"https://git.example.com/team/dags.git?apikey={CANARY}",
    f"https://git.example.com/team/dags.git?X-Amz-Security-Token={CANARY}",
    f"https://git.example.com/team/dags.git?password={CANARY}",
    f"https://git.example.com/team/dags.git#token={CANARY}",
    f"https://git.example.com/glpat-{CANARY}{CANARY}{CANARY}/dags.git",
    f"https://git.example.com/team/ghp_{CANARY}{CANARY}{CANARY}.git",
    f"ssh://git:{CANARY}@git.example.com/team/dags.git",
    f"ssh://git@git.example.com/team/dags.git?token={CANARY}",
    f"git:{CANARY}@git.example.com:team/dags.git",
    f"{CANARY}:x@git.example.com/team/dags.git",
    f"glpat-{CANARY}{CANARY}{CANARY}@git.example.com:team/dags.git",
]
URLS_WITHOUT = [
    "",
    "https://git.example.com/team/dags.git",
    "https://git.example.com:8443/team/dags.git",
    "https://git.example.com",
    "https://git.example.com/team/dags@v1.git",
    "https://git.example.com/team/dags.git?ref=main",
    "https://git.example.com/?sort_key=a&author=b&tokens_left=1",
    "https://git.example.com/~user/dags.git",
    "https://git.example.com/a:b/dags@2.git",
    "https://[2001:db8::1]:8443/dags.git",
    "https://[2001:db8::1]/a@b",
    "https://git-codecommit.eu-west-1.amazonaws.com/v1/repos/dags",
    "codecommit::eu-west-1://profile@dags",
    "git@git.example.com:team/dags.git",
    "git@git.example.com:team/dags@v1:a.git",
    "git@ssh.dev.azure.com:v3/org/project/dags",
    "ssh://git@git.example.com/team/dags.git",
    "ssh://git@git.example.com:2222/team/dags.git",
    "ssh://APKAEXAMPLE@git-codecommit.eu-west-1.amazonaws.com/v1/repos/dags",
    "git.example.com:team/dags.git",
    "file:///srv/dags.git",
    "/srv/git/dags.git",
    "http://deb.debian.org/debian",
    "https://pypi.example.com/token/simple/",
]
SECRET_NAMES = [
    "smtp_password",
    "fernet_key",
    "secret_key",
    "client_secret",
    "api_token",
    "access_token",
    "api_key",
    "apikey",
    "PGPASSWORD",
    "dbpassword",
    "authtoken",
    "MYSQL_PWD",
    "DB_PASS",
    "dbPassword",
    "GITHUB_TOKEN",
    "SNOWFLAKE_PRIVATE_KEY",
    "private_key_passphrase",
    "aws_secret_access_key",
    "aws_access_key_id",
    "storage_account_key",
    "flower_basic_auth",
    "sql_alchemy_conn",
    "broker_url",
    "service_credentials",
]
HARMLESS_NAMES = [
    "",
    "token_expiry",
    "jwt_token_expiry_seconds",
    "secret_backend",
    "secrets_backend",
    "backend",
    "smtp_password_cmd",
    "smtp_password_secret",
    "sql_alchemy_conn_secret",
    "fernet_key_secret",
    "google_key_path",
    "ssl_key",
    "ssl_cert",
    "password_file",
    "simple_auth_manager_passwords_file",
    "max_tokens",
    "max_output_tokens",
    "min_token",
    "secret_mask_adapter",
    "min_length_masked_secret",
    "sensitive_var_conn_names",
    "partition_mapper_max_downstream_keys",
    "color_log_error_keywords",
    "primary_key",
    "public_key",
    "sort_key",
    "key",
    "token_url",
    "email_conn_id",
    "hide_sensitive_var_conn_fields",
    "auth_backends",
    "bypass",
    "PWD",
    "OLDPWD",
    "pass",
    "passthrough",
    "compass",
    "keytab",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
]
# Section, option, value.
HARMLESS_OPTIONS: list[tuple[str, str, Any]] = [
    *(("core", name, CANARY) for name in HARMLESS_NAMES if name and not name.isupper()),
    ("celery", "ssl_key", "/opt/airflow/tls/key.pem"),
    ("team", "private_key", "/opt/airflow/tls/key.pem"),
    ("team", "private_key", "~/key.pem"),
    ("team", "api_token", True),
    ("team", "api_token", "false"),
    ("team", "api_token", ""),
    ("team", "api_token", None),
    ("team", "api_token", 3600),
    ("team", "second_pass", 3),
    ("smtp", "smtp_password", ""),
    ("smtp", "smtp_user", "team@example.com"),
    ("smtp", "smtp_host", "smtp.example.com"),
    ("team", "endpoint", "https://user@example.com/"),
    ("core", "parallelism", 64),
]
PLAIN_OPTIONS: list[tuple[str, str, Any]] = [
    ("smtp", "smtp_password", CANARY),
    ("smtp", "smtp_password", f"/{CANARY}"),
    ("smtp", "smtp_password", 12345),
    ("team", "api_token", CANARY),
    ("team", "client_secret", CANARY),
    ("team", "proxy", f"http://user:{CANARY}@proxy.example.com:3128"),
    ("team", "text", f"-----BEGIN {'RSA'} PRIVATE KEY-----\n{CANARY}"),
    ("team", "text", f"ghp_{CANARY}{CANARY}{CANARY}"),
    *((section, option, CANARY) for section, option in sorted(SENSITIVE)),
]
PLAIN_VARIABLES: dict[str, tuple[Any, str]] = {
    "AIRFLOW_CONN_WAREHOUSE": (f"postgres://user:{CANARY}@db/a", "keep it in secrets_connections, as warehouse"),
    "AIRFLOW_CONN_A": ('{"conn_type": "http"}', "keep it in secrets_connections, as a"),
    "AIRFLOW_VAR_TEAM_TOKEN": (CANARY, "keep it in secrets_variables, as team_token"),
    "AIRFLOW__SMTP__SMTP_PASSWORD": (CANARY, "secrets_connections.smtp_default"),
    "AIRFLOW__CORE__FERNET_KEY": (CANARY, "is a secret and belongs in Secrets Manager (SM2A sets it)"),
    "AIRFLOW__SENTRY__SENTRY_DSN": (CANARY, "name its secret in airflow_config_secrets"),
    "AWS_SECRET_ACCESS_KEY": (CANARY, "is a credential; use policy_statements or policy_arns of the group"),
    "DB_PASSWORD": (CANARY, "keep it in secrets_connections or secrets_variables"),
    "OPENAI_API_KEY": (CANARY, "keep it in secrets_connections or secrets_variables"),
    "HTTPS_PROXY": (f"http://user:{CANARY}@proxy:3128", "keep it in secrets_connections or secrets_variables"),
}
HARMLESS_VARIABLES: dict[str, Any] = {
    "TEAM": "a",
    "AIRFLOW_VAR_GREETING": "hello",
    "AIRFLOW__CORE__PARALLELISM": 64,
    "AIRFLOW__SMTP__SMTP_PASSWORD_SECRET": "smtp",
    "GOOGLE_APPLICATION_CREDENTIALS": "/opt/airflow/google.json",
    "AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/token",
    "DB_PASSWORD_FILE": "/run/secrets/db",
    "HTTPS_PROXY": "http://proxy:3128",
    "TOKEN_EXPIRY": "3600",
    "MAX_TOKENS": 1024,
    "API_TOKEN": "",
    "EMPTY_PASSWORD": None,
}


@pytest.mark.parametrize("option", URLS)
@pytest.mark.parametrize("url", URLS_WITH_SECRETS)
def test_no_part_of_a_url_may_be_a_secret(option: str, url: str) -> None:
    [problem] = problems({option: url})
    assert problem.startswith(f"{option}: must not hold a user name, password or token")
    assert CANARY not in problem


@pytest.mark.parametrize("option", URLS)
@pytest.mark.parametrize("url", URLS_WITHOUT)
def test_urls_without_secrets_pass(option: str, url: str) -> None:
    assert problems({option: url}) == []


def test_the_way_out_of_a_git_url_is_a_connection() -> None:
    [problem] = problems({"airflow_dags_git_url": URLS_WITH_SECRETS[0]})
    assert "secrets_connections" in problem
    assert "airflow_dags_git_connection_id" in problem


def test_a_token_in_the_branch_is_one_as_well() -> None:
    assert problems({"airflow_dags_git_branch": f"ghp_{CANARY}{CANARY}{CANARY}"})
    assert problems({"airflow_dags_git_branch": "feature/ghp_x", "airflow_dags_git_subdirectory": "dags"}) == []


@pytest.mark.parametrize("name", SECRET_NAMES)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)
    assert is_secret_name(name.upper())


@pytest.mark.parametrize("name", HARMLESS_NAMES)
def test_names_of_what_is_no_secret(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(("section", "option", "value"), PLAIN_OPTIONS)
def test_options_in_plain_text_are_refused(section: str, option: str, value: Any) -> None:
    [problem] = problems({"airflow_config": {section: {option: value}}})
    assert problem.startswith(f"airflow_config.{section}.{option}: ")
    assert CANARY not in problem
    assert "12345" not in problem


@pytest.mark.parametrize(("section", "option", "value"), HARMLESS_OPTIONS)
def test_options_that_are_no_secrets_pass(section: str, option: str, value: Any) -> None:
    assert problems({"airflow_config": {section: {option: value}}}) == []


@pytest.mark.parametrize(("section", "option"), sorted(SENSITIVE))
def test_what_airflow_checks_says_already_is_said_in_the_same_words(section: str, option: str) -> None:
    values = {"airflow_config": {section: {option: CANARY}}}
    assert problems(values) == airflow_problems(values)


@pytest.mark.parametrize(("name", "value", "said"), [(name, *case) for name, case in PLAIN_VARIABLES.items()])
def test_variables_in_plain_text_are_refused(name: str, value: Any, said: str) -> None:
    [problem] = problems({"airflow_worker_groups": [{"name": "team", "environment": {name: value}}]})
    assert problem.startswith(f"airflow_worker_groups, group team: environment.{name}: ")
    assert said in problem
    assert CANARY not in problem


@pytest.mark.parametrize(("name", "value"), HARMLESS_VARIABLES.items())
def test_variables_that_are_no_secrets_pass(name: str, value: Any) -> None:
    assert problems({"airflow_worker_groups": [{"name": "team", "environment": {name: value}}]}) == []


def test_a_group_with_a_role_of_its_own_has_secrets_of_its_own() -> None:
    group = {"name": "team", "own_task_role": True, "environment": {"AIRFLOW_CONN_DB": CANARY, "DB_PASSWORD": CANARY}}
    found = problems({"airflow_worker_groups": [group]})
    assert "secrets_group_connections, as db" in found[0]
    assert "secrets_group_connections or secrets_group_variables" in found[1]
