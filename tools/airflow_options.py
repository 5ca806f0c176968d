# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Write down the options of the Airflow that the image has: ``... python < PROGRAM | python -m tools.airflow_options``.

``python -m tools.airflow_options --program`` prints what is to run in a container of the image; its output goes to the
standard input of this one.
"""

from __future__ import annotations

import json
import sys
import textwrap
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "plugins/plugin_utils/inputs/rules/airflow_option_names.py"
PROGRAM = """
import json
from airflow.configuration import conf
options = {}
for section, described in conf.configuration_description.items():
    named = described.get("options") or {}
    options[section] = {name: bool(option.get("sensitive")) for name, option in named.items()}
print(json.dumps(options))
"""
HEAD = '''# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Options of Airflow and of the providers in the image, written by ``python -m tools.airflow_options``."""

from __future__ import annotations

# Section to the names of its options, with spaces between them.
OPTIONS: dict[str, str] = {
'''
BETWEEN = """}
# What they mark as sensitive, and so read from Secrets Manager on request.
SENSITIVE: frozenset[tuple[str, str]] = frozenset(
    {
"""


def module(options: dict[str, dict[str, bool]]) -> str:
    """The text of the Python module."""
    parts = [HEAD]
    for section, names in sorted(options.items()):
        lines = textwrap.wrap(" ".join(sorted(names)), 104, break_on_hyphens=False)
        parts.append(f'    "{section}": (\n')
        parts += [f'        "{line} "\n' for line in lines[:-1]] + [f'        "{line}"\n' for line in lines[-1:]]
        parts.append("    ),\n")
    sensitive = [(section, name) for section, names in options.items() for name, marked in names.items() if marked]
    lines = [f'        ("{section}", "{name}"),\n' for section, name in sorted(sensitive)]
    return "".join([*parts, BETWEEN, *lines, "    }\n)\n"])


def main() -> None:
    """Print the program, or write the module."""
    if "--program" in sys.argv:
        print(PROGRAM)
        return
    # Airflow may have said something before.
    TARGET.write_text(module(json.loads(sys.stdin.read().splitlines()[-1])), encoding="utf-8")


if __name__ == "__main__":
    main()
