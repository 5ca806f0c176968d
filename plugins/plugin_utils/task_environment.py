# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""The environment of a task within its module, instead of before its command, which ansible-core prints with -vvv.

What a module is goes to its Python through standard input or a file that only its user can read, like its arguments.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

# Variables that count when Python, a library or async_wrapper starts; a program that runs already is past that.
AT_START = ("ANSIBLE_", "DYLD_", "HOME", "LANG", "LC_", "LD_", "OPENSSL_", "PATH", "PYTHON")
# Nothing but comments may stand before it.
FUTURE = b"from __future__ import annotations\n"


def split(environment: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
    """Variables for the command, and those that the module can bring along."""
    early = {name: value for name, value in environment.items() if name.startswith(AT_START)}
    return early, {name: value for name, value in environment.items() if name not in early}


def bring_along(module: bytes, environment: Mapping[str, str]) -> bytes | None:
    """The module, as ansible-core built it for Python, with its environment; None when it is not built that way."""
    if FUTURE not in module:
        return None
    text = json.dumps(json.dumps(dict(environment)))
    lines = (
        "import json as _json, os as _os, time as _time",
        f"_os.environ.update(_json.loads({text}))",
        "_time.tzset()",
    )
    return module.replace(FUTURE, FUTURE + "".join(f"{line}\n" for line in lines).encode(), 1)
