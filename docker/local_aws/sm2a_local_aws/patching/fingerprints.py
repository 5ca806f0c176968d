# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""`python -m sm2a_local_aws.patching.fingerprints`: every patch point with the expected and the found fingerprint."""

import os
import sys
from pathlib import Path

from sm2a_local_aws import environment, settings
from sm2a_local_aws.patching import order, points

MODES = (
    settings.Settings(),
    settings.Settings(engine_socket=environment.NO_ENGINE),
    settings.Settings(waiting_times=Path(os.devnull)),
)


def main() -> int:
    """Print one line per patch point, of every mode; exit 1 when one differs."""
    for mode in MODES:
        settings.activate(mode)
        environment.prepare(mode)
        order.load()
    different = 0
    for point in points.registry:
        found = points.fingerprint_of(getattr(point.module, point.function_name, None))
        mark = "ok" if found == point.fingerprint else "DIFFERENT"
        different += found != point.fingerprint
        sys.stdout.write(f"{mark:9} {point.target} expected={point.fingerprint} found={found} ({point.declared_in})\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
