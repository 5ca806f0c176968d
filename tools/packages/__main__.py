# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Say which packages of the images are newest and which are behind: ``python -m tools.packages``.

Reads the bills of materials that the role images writes. Where an index, the archive or a database cannot be reached,
the report says so; that is no failure.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

from ansible_collections.sm2a.airflow.plugins.module_utils.containers.apt_sources import (
    DEFAULT_SECURITY_MIRROR,
    machine_mirrors,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.base_image import BASE_IMAGE_OPTIONS

from .installed import packages
from .newest import DebianArchive, PythonIndex
from .report import summary, table, vulnerabilities
from .vulnerabilities import OSV, look_up

PROJECT = Path(__file__).resolve().parents[2]
INDEX = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL") or "https://pypi.org/simple"


def main(arguments: list[str] | None = None) -> int:
    """Print the report; 0 unless there is nothing to report about."""
    mirrors = machine_mirrors()
    parser = argparse.ArgumentParser(prog="python -m tools.packages", description="Report on the images' packages.")
    parser.add_argument("--bills", type=Path, default=PROJECT / "artifacts/sbom", help="images_sbom_directory")
    parser.add_argument("--docker", type=Path, default=PROJECT / "docker", help="where requirements.txt are")
    parser.add_argument("--index-url", default=INDEX, help="Python package index (default: that of uv or pip)")
    parser.add_argument("--debian-mirror", default=mirrors.archive, help="Debian mirror (default: that of apt)")
    parser.add_argument("--security-mirror", default=mirrors.security or DEFAULT_SECURITY_MIRROR)
    parser.add_argument("--suite", default=BASE_IMAGE_OPTIONS["suite"]["default"], help="Debian release of the images")
    parser.add_argument("--osv-url", default=OSV, help="database of vulnerabilities")
    parser.add_argument("--output", type=Path, help="file for the report, besides standard output")
    options = parser.parse_args(arguments)
    images, without_bill = packages(options.bills, options.docker)
    if not images:
        print("There are neither bills of materials nor requirements to report about.", file=sys.stderr)
        return 1
    archive = DebianArchive(options.debian_mirror, options.security_mirror, options.suite)
    answers = PythonIndex(options.index_url).ask(one for one in images if one.kind == "pypi")
    answers |= archive.ask(one for one in images if one.kind == "deb")
    findings = look_up(images, options.osv_url, options.index_url)
    parts = (table(images, answers), summary(answers, without_bill), vulnerabilities(images, findings))
    report = "\n\n".join(parts) + "\n"
    if options.output:
        options.output.parent.mkdir(parents=True, exist_ok=True)
        options.output.write_text(report, encoding="utf-8")
    print(report, end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
