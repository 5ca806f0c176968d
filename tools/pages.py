# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Write the pages of docs/ that have a source: roles/, permissions.md, modules.md and preflight.md."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

# The collection, as the tests find it: it knows the checks of the preflight.
sys.path.append(str(Path(__file__).resolve().parents[1] / "collections"))

from ansible_collections.sm2a.airflow.plugins.module_utils.preflight.checks import (
    ENVIRONMENT,
    QUOTAS,
    STOPS,
    STOPS_OR_WARNS,
)
from ansible_collections.sm2a.airflow.tools import stock_modules
from ansible_collections.sm2a.airflow.tools.deploy_policy import (
    GIVEN,
    WITHOUT_BOUNDARY,
    boundary_statements,
    statements,
)
from antsibull_docs_parser import dom
from antsibull_docs_parser.parser import Context, parse
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

PROJECT = Path(__file__).resolve().parents[1]
TEMPLATES = PROJECT / "docs/templates"
COLLECTION = "sm2a.airflow"
# How a check of the preflight ends where it finds something.
ENDS = {STOPS: "error", STOPS_OR_WARNS: "error where it is certain, else warning"}


class Markdown(dom.NoopWalker):
    """Collects one paragraph of Ansible's markup as GitHub's Markdown in ``text``."""

    def __init__(self) -> None:
        self.text = ""

    def process_text(self, part: dom.TextPart) -> None:
        self.text += part.text.replace("<", "&lt;").replace("|", "\\|")

    def process_code(self, part: dom.CodePart) -> None:
        self.text += code(part.text)

    def process_option_name(self, part: dom.OptionNamePart) -> None:
        self.text += code(part.name if part.value is None else f"{part.name}: {part.value}")

    def process_option_value(self, part: dom.OptionValuePart) -> None:
        self.text += code(part.value)

    def process_env_variable(self, part: dom.EnvVariablePart) -> None:
        self.text += code(part.name)

    def process_module(self, part: dom.ModulePart) -> None:
        self.text += code(part.fqcn)

    def process_plugin(self, part: dom.PluginPart) -> None:
        self.text += code(part.plugin.fqcn)

    def process_url(self, part: dom.URLPart) -> None:
        self.text += f"<{part.url}>"

    def process_link(self, part: dom.LinkPart) -> None:
        self.text += f"[{part.text}]({part.url})"

    def process_italic(self, part: dom.ItalicPart) -> None:
        self.text += f"*{part.text}*"

    def process_bold(self, part: dom.BoldPart) -> None:
        self.text += f"**{part.text}**"

    def process_error(self, part: dom.ErrorPart) -> None:
        raise ValueError(part.message)


def code(text: str) -> str:
    """``text`` as code that may stand in a table."""
    escaped = text.replace("|", "\\|")
    return f"`{escaped}`"


def markdown(description: str | list[str]) -> str:
    """Ansible's markup of a description as Markdown on one line; ValueError where the markup is wrong."""
    paragraphs = [description] if isinstance(description, str) else description
    walker = Markdown()
    dom.walk(parse(" ".join(paragraphs), Context())[0] if paragraphs else [], walker)
    return walker.text


def default_of(option: dict[str, Any]) -> str:
    """The cell of an option's default: its value as JSON, or why there is none."""
    if option.get("required"):
        return "**required**"
    if option.get("default") is None:
        return ""
    value = option["default"]
    return code(value if isinstance(value, str) else json.dumps(value))


def type_of(option: dict[str, Any]) -> str:
    """The cell of an option's type, such as ``list of dict``, and its choices."""
    kind = f"{option['type']} of {option['elements']}" if "elements" in option else option["type"]
    return kind + "".join(f"<br>{code(str(choice))}" for choice in option.get("choices", []))


def rows(options: dict[str, dict[str, Any]], prefix: str = "") -> list[dict[str, str]]:
    """One row per option, in the order of the spec; the options of a dict follow it as ``dict.option``."""
    found = []
    for name, option in options.items():
        row = {"name": f"{prefix}{name}", "type": type_of(option), "default": default_of(option)}
        found.append({**row, "description": markdown(option["description"])})
        found += rows(option.get("options", {}), f"{prefix}{name}.")
    return found


def documentation(roles: list[str]) -> dict[str, dict[str, Any]]:
    """``ansible-doc``'s view of the roles' entry points, by the role's short name."""
    names = [f"{COLLECTION}.{role}" for role in roles]
    ansible_doc = Path(sys.executable).parent / "ansible-doc"
    command = [str(ansible_doc), "--type", "role", "--json", *names]
    said = subprocess.run(command, cwd=PROJECT, check=True, capture_output=True, text=True).stdout
    documented = json.loads(said)
    return {role: documented[name]["entry_points"] for role, name in zip(roles, names, strict=True)}


def conditions(statement: dict[str, Any]) -> str:
    """When a statement of permissions.yml holds, such as ``aws:RequestTag/x is NAME``, on one line."""
    told = [f"{code(statement['unless'])} is not given"] if "unless" in statement else []
    for operator, tests in statement.get("conditions", {}).items():
        told += [f"{code(key)} {operator} {code(json.dumps(value))}" for key, value in tests.items()]
    return "<br>".join(told)


def templates() -> Environment:
    """The templates of docs/templates with the filters that they use."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        # None of the templates is HTML.
        autoescape=select_autoescape(),
    )
    environment.filters.update(code=code, conditions=conditions, markdown=markdown, rows=rows)
    return environment


def pages() -> dict[str, str]:
    """Every page by its path in docs/."""
    environment = templates()
    roles = sorted(path.parents[1].name for path in PROJECT.glob("roles/*/meta/argument_specs.yml"))
    documented = documentation(roles)
    template = environment.get_template("role.md.j2")
    written = {
        f"roles/{role}.md": template.render(collection=COLLECTION, role=role, entry_points=entry_points)
        for role, entry_points in documented.items()
    }
    written["roles/README.md"] = environment.get_template("roles.md.j2").render(roles=documented)
    written["permissions.md"] = environment.get_template("permissions.md.j2").render(
        subjects=statements(), boundary=boundary_statements(), given=GIVEN, without_boundary=WITHOUT_BOUNDARY
    )
    written["preflight.md"] = environment.get_template("preflight.md.j2").render(
        quotas=QUOTAS, environment=ENVIRONMENT, ends=ENDS
    )
    written["modules.md"] = environment.get_template("modules.md.j2").render(
        verdicts=stock_modules.verdicts(), versions=stock_modules.VERSIONS, reasons=stock_modules.reasons()
    )
    return written


def main() -> None:
    """Write every page; pages of roles that are gone are removed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("directory", nargs="?", type=Path, default=PROJECT / "docs", help="instead of docs")
    directory: Path = parser.parse_args().directory
    (directory / "roles").mkdir(parents=True, exist_ok=True)
    for page in directory.glob("roles/*.md"):
        page.unlink()
    for name, text in pages().items():
        (directory / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
