# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Print a new certificate and its key as the JSON that acm_certificate reads from a secret. Argument: the name."""

from __future__ import annotations

import json
import sys

from ansible_collections.sm2a.airflow.plugins.module_utils.acm import x509 as certificates


def main() -> None:
    """Sign it for a year."""
    made = certificates.self_signed([sys.argv[1]], 365)
    sys.stdout.write(json.dumps({"certificate": made.certificate, "private_key": made.private_key}))


if __name__ == "__main__":
    main()
