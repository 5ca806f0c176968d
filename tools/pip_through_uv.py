# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A stand-in for get-pip.py: gives a virtual environment of ansible-test a ``pip`` that calls uv.

ansible-test downloads get-pip.py from its own site and then lets pip fill about ten environments. Neither is
needed here: uv is already present, takes packages from the index that the machine is configured for, and fills an
environment in a second. `sanity.py` puts this file where ansible-test looks for its cached copy of get-pip.py.

ansible-test clears the environment of its children; how uv is found and reaches its index lies in ``ENVIRONMENT``,
beside the cached copy of this file. The arguments (``pip==24.2 --no-setuptools ...``) are of no use here.
"""

from __future__ import annotations

import sysconfig
from pathlib import Path

PIP = '''\
"""pip's command line as ansible-test uses it (install, uninstall, wheel-less), answered by uv."""

import json
import os
import subprocess
import sys
from pathlib import Path

ENVIRONMENT = Path("~/.ansible/test/cache/uv_environment.json").expanduser()
DROP = {"--disable-pip-version-check", "-y"}


def main():
    verb, *rest = [argument for argument in sys.argv[1:] if argument not in DROP]
    if verb == "-V":
        return print("pip answered by uv")
    environment = json.loads(ENVIRONMENT.read_text(encoding="utf-8"))
    command = [environment["UV"], "pip", verb, "--quiet", "--python", sys.executable, *rest]
    sys.exit(subprocess.call(command, env={**os.environ, **environment}))


main()
'''


def main() -> None:
    """Write the package ``pip`` into the environment that runs this file."""
    package = Path(sysconfig.get_path("purelib")) / "pip"
    package.mkdir(parents=True, exist_ok=True)
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "__main__.py").write_text(PIP, encoding="utf-8")


if __name__ == "__main__":
    main()
