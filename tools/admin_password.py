# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Print the password of the Airflow administrator, which lives in Secrets Manager only.

usage: admin_password.py SM2A_NAME    region, credentials and endpoint as for every AWS command, from the environment
"""

from __future__ import annotations

import json
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError


def main() -> None:
    """Read the secret ``<sm2a_name>/admin``."""
    secret = f"{sys.argv[1]}/admin"
    try:
        value = boto3.client("secretsmanager").get_secret_value(SecretId=secret)["SecretString"]
    except (BotoCoreError, ClientError) as error:
        sys.exit(
            f"Cannot read the secret {secret}: {error}. Is this environment deployed, and the endpoint the right one?"
        )
    print(json.loads(value)["password"])


if __name__ == "__main__":
    main()
