# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Audit one environment: ``python -m tools.audit --name production --region eu-west-1``.

Credentials and endpoint are boto3's usual ones. Exits 1 when a control fails, 2 when AWS refuses a read.
"""

from __future__ import annotations

import argparse
import functools
import sys

import boto3
from botocore.exceptions import BotoCoreError, ClientError

from .controls import CONTROLS
from .environment import Environment
from .report import audit, failures, reasons, table


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.audit", description="Audit one environment.")
    parser.add_argument("--name", required=True, help="sm2a_name of the environment")
    parser.add_argument("--region", help="its region (default: boto3's)")
    parser.add_argument("--endpoint-url", help="of an AWS that is not Amazon's")
    parser.add_argument("--control", action="append", metavar="ID", help="only this control; may be repeated")
    parser.add_argument("--all", action="store_true", help="report the listed exceptions as failures, too")
    options = parser.parse_args(arguments)
    controls = [one for one in CONTROLS if one.id in (options.control or [one.id])]
    if not controls:
        parser.error(f"no control is called {' or '.join(options.control)}")
    client = functools.partial(boto3.client, region_name=options.region, endpoint_url=options.endpoint_url)
    try:
        outcomes = audit(Environment(options.name, client), controls, options.all)
    except (ClientError, BotoCoreError) as error:
        print(f"The audit cannot read the environment: {error}", file=sys.stderr)
        return 2
    print("\n\n".join(filter(None, (table(outcomes), failures(outcomes), reasons(outcomes)))))
    return 1 if any(one.problems for one in outcomes) else 0


if __name__ == "__main__":
    sys.exit(main())
