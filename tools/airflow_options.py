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
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RULES = Path(__file__).resolve().parents[1] / "plugins/plugin_utils/inputs/rules"
NAMES, TYPES = RULES / "airflow_option_names.py", RULES / "airflow_option_types.py"
PROGRAM = """
import json
from airflow.configuration import conf
keys = ("type", "default", "sensitive")
options = {}
for section, described in conf.configuration_description.items():
    named = described.get("options") or {}
    options[section] = {name: {key: option.get(key) for key in keys} for name, option in named.items()}
print(json.dumps(options))
"""
START = '''# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""{subject} of Airflow and of the providers in the image, written by ``python -m tools.airflow_options``."""

from __future__ import annotations

'''
NAMES_HEAD = """# Section to the names of its options, with spaces between them.
OPTIONS: dict[str, str] = {
"""
SENSITIVE_HEAD = """}
# What they mark as sensitive, and so read from Secrets Manager on request.
SENSITIVE: frozenset[tuple[str, str]] = frozenset(
    {
"""
TYPES_HEAD = """\
# Type to section to the names of its options, with spaces between them. "switch" is text whose default is true or
# false; what is not here is text. https://airflow.apache.org/docs/apache-airflow/stable/configurations-ref.html
TYPES: dict[str, dict[str, str]] = {
"""
Options = dict[str, dict[str, dict[str, Any]]]


def section_lines(section: str, names: Iterable[str], indent: int) -> list[str]:
    """The entry of one section."""
    space = " " * indent
    lines = textwrap.wrap(" ".join(sorted(names)), 108 - indent, break_on_hyphens=False)
    text = [f'{space}    "{line} "\n' for line in lines[:-1]] + [f'{space}    "{line}"\n' for line in lines[-1:]]
    return [f'{space}"{section}": (\n', *text, f"{space}),\n"]


def names_module(options: Options) -> str:
    """The text of the Python module with the names."""
    parts = [START.format(subject="Options"), NAMES_HEAD]
    for section, names in sorted(options.items()):
        parts += section_lines(section, names, 4)
    sensitive = [
        (section, name)
        for section, names in options.items()
        for name, described in names.items()
        if described["sensitive"]
    ]
    lines = [f'        ("{section}", "{name}"),\n' for section, name in sorted(sensitive)]
    return "".join([*parts, SENSITIVE_HEAD, *lines, "    }\n)\n"])


def type_of(described: dict[str, Any]) -> str | None:
    """The type that the table has for an option; None for text."""
    if described["type"] in ("boolean", "integer", "float"):
        return str(described["type"])
    return "switch" if str(described["default"]).lower() in ("true", "false") else None


def types_module(options: Options) -> str:
    """The text of the Python module with the types."""
    parts = [START.format(subject="Types of options"), TYPES_HEAD]
    for kind in ("boolean", "integer", "float", "switch"):
        parts.append(f'    "{kind}": {{\n')
        for section, names in sorted(options.items()):
            alike = [name for name, described in names.items() if type_of(described) == kind]
            parts += section_lines(section, alike, 8) if alike else []
        parts.append("    },\n")
    return "".join([*parts, "}\n"])


def main() -> None:
    """Print the program, or write the modules."""
    if "--program" in sys.argv:
        print(PROGRAM)
        return
    # Airflow may have said something before.
    options: Options = json.loads(sys.stdin.read().splitlines()[-1])
    NAMES.write_text(names_module(options), encoding="utf-8")
    TYPES.write_text(types_module(options), encoding="utf-8")


if __name__ == "__main__":
    main()
