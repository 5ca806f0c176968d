# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Build the execution environment of extensions/awx: ``python -m tools.execution_environment``.

ansible-builder makes it, on the base image that the images of Airflow have: pulled by digest, or made with debootstrap
where no registry answers. Prints its size and how long the build took, and copies its bill of materials.
"""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from pathlib import Path

from ansible_collections.sm2a.airflow.plugins.module_utils.containers.base_image import (
    BASE_IMAGE_OPTIONS,
    BaseImage,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import (
    ENGINE_OPTION,
    Engine,
    EngineError,
    find_engine,
    require_free_space,
    run_logged,
)
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_build import (
    Image,
    copy_sbom,
    emulation_hint,
)

PROJECT = Path(__file__).resolve().parents[1]
DEFINITION = PROJECT / "extensions/awx/execution-environment/execution-environment.yml"
REPOSITORY, TAG = "localhost/sm2a/execution-environment", "latest"
SBOM = "/usr/share/sm2a/sbom.cdx.json"
CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")
FREE_GIB = 3.0
DEFAULT_BASE = str(BASE_IMAGE_OPTIONS["name"]["default"])


def described(options: argparse.Namespace) -> Image:
    """The image that is made."""
    repository, _colon, tag = options.tag.rpartition(":")
    return Image(
        name="execution-environment",
        repository=repository,
        tag=tag,
        content="",
        entries=[],
        dockerfile="",
        platforms=(options.platform,) if options.platform else (),
        sbom=SBOM,
        sbom_file=options.sbom_directory / "execution-environment.cdx.json",
    )


def base_name(engine: Engine, options: argparse.Namespace) -> str:
    """The base image's name in the engine, after it was pulled or made; for another platform the build pulls it."""
    base = BaseImage.from_options(
        {"name": options.base_image, "source": options.base_source, "suite": "trixie", "mirror": options.debian_mirror}
    )
    if options.platform:
        return base.name
    if base.find(engine) is None:
        base.obtain(engine, options.log)
    found = base.find(engine)
    return found[0] if found else base.name


def builder_command(
    engine: Engine, image: Image, base: str, ca_bundle: Path, build_args: Mapping[str, str]
) -> list[str]:
    """The command line of ansible-builder."""
    more = ["--secret", f"id=ca_bundle,src={ca_bundle}"] if ca_bundle.is_file() else []
    more += ["--platform", image.platforms[0], "--pull"] if image.platforms else []
    command = [str(Path(sys.executable).parent / "ansible-builder"), "build", "--file", str(DEFINITION)]
    command += ["--context", str(PROJECT / ".sm2a/execution-environment"), "--tag", image.reference]
    command += ["--container-runtime", engine.kind, "--verbosity", "3", "--extra-build-cli-args", shlex.join(more)]
    for name, value in {"EE_BASE_IMAGE": base, **build_args}.items():
        command += ["--build-arg", f"{name}={value}"]
    return command


def revision() -> str:
    """The commit of this checkout; empty outside Git."""
    told = subprocess.run(["git", "rev-parse", "HEAD"], cwd=PROJECT, capture_output=True, text=True, check=False)
    return told.stdout.strip()


def version() -> str:
    """That of the collection."""
    settings = tomllib.loads((PROJECT / "pyproject.toml").read_text(encoding="utf-8"))
    return str(settings["project"]["version"])


def size(engine: Engine, image: Image) -> int:
    """Bytes of the image, unpacked."""
    told = engine.must("Looking at the image", "image", "inspect", image.reference)
    return int(json.loads(told)[0]["Size"])


def build(options: argparse.Namespace) -> str:
    """Build it, and a line about what was built. EngineError says what is missing or what failed."""
    engine, image = find_engine(options.engine), described(options)
    require_free_space([engine.storage()], FREE_GIB, f"Building {image.reference}")
    started = time.monotonic()
    base = base_name(engine, options)
    build_args = {"VERSION": version(), "REVISION": revision()}
    if options.index_url:
        build_args["INDEX_URL"] = options.index_url
    run_logged(
        f"Building {image.reference}",
        builder_command(engine, image, base, options.ca_bundle, build_args),
        options.log,
        engine.environment,
        hint=f"Correct the cause and run again; finished steps are kept.{emulation_hint(image)}",
    )
    copy_sbom(engine, image)
    seconds = time.monotonic() - started
    return (
        f"{image.reference}: {size(engine, image) / 1e6:.0f} MB, built in {seconds:.0f} s on {base}; "
        f"bill of materials: {image.sbom_file}"
    )


def main(arguments: list[str] | None = None) -> int:
    """Build it; 1 with one message when that fails."""
    parser = argparse.ArgumentParser(prog="python -m tools.execution_environment", description="Build it.")
    parser.add_argument("--engine", choices=ENGINE_OPTION["engine"]["choices"], default="auto")
    parser.add_argument("--tag", default=f"{REPOSITORY}:{TAG}", help="name of the image, with a tag")
    parser.add_argument("--base-image", default=DEFAULT_BASE, help="Debian image to build on, by digest")
    parser.add_argument("--base-source", choices=BASE_IMAGE_OPTIONS["source"]["choices"], default="auto")
    parser.add_argument("--debian-mirror", help="mirror for debootstrap (default: that of apt)")
    parser.add_argument(
        "--index-url", default=os.environ.get("PIP_INDEX_URL"), help="Python package index (default: PyPI)"
    )
    parser.add_argument("--ca-bundle", type=Path, default=CA_BUNDLE, help="certificates to trust while building")
    parser.add_argument("--platform", help="such as linux/arm64 (default: that of this machine)")
    parser.add_argument("--sbom-directory", type=Path, default=PROJECT / "artifacts/sbom")
    parser.add_argument(
        "--log", type=Path, default=PROJECT / ".sm2a/execution-environment.log", help="output of the build"
    )
    options = parser.parse_args(arguments)
    try:
        print(build(options))
    except EngineError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
