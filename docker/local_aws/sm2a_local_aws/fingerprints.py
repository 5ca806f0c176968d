# Copyright: SM2A contributors
# Apache License 2.0 (see LICENSE)
"""`python -m sm2a_local_aws.fingerprints`: every patch point with the expected and the found fingerprint."""

import sys

from sm2a_local_aws import environment, patches, patching, settings


def main() -> int:
    """Print one line per patch point; exit 1 when one differs."""
    settings.activate(settings.Settings())
    environment.prepare(settings.current())
    patches.load()
    different = 0
    for point in patching.registry:
        found = patching.fingerprint_of(getattr(point.module, point.function_name, None))
        mark = "ok" if found == point.fingerprint else "DIFFERENT"
        different += found != point.fingerprint
        sys.stdout.write(f"{mark:9} {point.target} expected={point.fingerprint} found={found} ({point.declared_in})\n")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
