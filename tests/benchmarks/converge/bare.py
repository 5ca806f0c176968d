# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Makes recorded calls with bare boto3, one client a service, one after the other.

usage: python bare.py CALLS ENDPOINT REGION
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import boto3
from botocore.exceptions import ClientError


def main() -> None:
    """See the module."""
    calls, endpoint, region = sys.argv[1:]
    clients: dict[str, Any] = {}
    for line in map(json.loads, Path(calls).read_text(encoding="utf-8").splitlines()):
        service = line["service"]
        if service not in clients:
            clients[service] = boto3.client(service, region_name=region, endpoint_url=endpoint)
        try:
            clients[service]._make_api_call(line["operation"], line["parameters"])
        except ClientError as error:
            # What is not there is an answer, too.
            if error.response["ResponseMetadata"]["HTTPStatusCode"] >= 500:
                raise


if __name__ == "__main__":
    main()
