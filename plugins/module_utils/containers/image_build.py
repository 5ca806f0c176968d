# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""Builds a container image from a staged context and pushes it to a registry, with Docker or Podman."""

from __future__ import annotations

import ipaddress
import json
import platform
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.sm2a.airflow.plugins.module_utils.containers import build_context
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.engine import Engine, run_logged

# Carries the content hash, so that a local image is recognised as up to date.
CONTENT_LABEL = "io.sm2a.content-hash"
SBOM_SUFFIX = ".cdx.json"
# What Linux calls a processor -> what container platforms call it.
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class Image:
    """What is to be built: files, settings, and the name that it gets (``repository:tag``)."""

    name: str
    repository: str
    tag: str
    content: str
    entries: list[build_context.Entry]
    dockerfile: str
    build_args: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    platforms: tuple[str, ...] = ()
    # Whether the base image is looked for in its registry, which has it for every platform, whatever the engine holds.
    fresh_base: bool = False
    # Path in the image of its bill of materials, and the file that it is copied to.
    sbom: str = ""
    sbom_file: Path | None = None

    @property
    def reference(self) -> str:
        """The name that the engine knows the image by."""
        return f"{self.repository}:{self.tag}"

    def parts(self) -> list[Image]:
        """The images that are built: one, or one for each of several platforms, with a tag of its own."""
        if len(self.platforms) < 2:
            return [self]
        tags = {each: f"{self.tag}-{each.partition('/')[2].replace('/', '-')}" for each in self.platforms}
        return [
            replace(self, tag=tag, platforms=(each,), fresh_base=True, sbom_file=self._sbom_file_of(each))
            for each, tag in tags.items()
        ]

    def _sbom_file_of(self, platform_name: str) -> Path | None:
        architecture = platform_name.partition("/")[2].replace("/", "-")
        return self.sbom_file and self.sbom_file.with_name(f"{self.name}-{architecture}{SBOM_SUFFIX}")


def describe_image(options: Mapping[str, Any], base_image: str = "", sbom_directory: Path | None = None) -> Image:
    """The image of one item of the module's list; FileNotFoundError when a file that it names is not there.

    ``base_image`` is the name, with its digest, of what the image is built on; bills of materials go to
    ``sbom_directory``.
    """
    context = Path(options["context"])
    entries = build_context.collect(context, options["include"] or (), options["exclude"] or ())
    for overlay in options["overlays"] or ():
        entries = build_context.overlaid(entries, Path(overlay["source"]), overlay["target"], overlay["include"] or ())
    if options["dockerfile"] not in {entry.path for entry in entries}:
        raise FileNotFoundError(f"The build context {context} has no {options['dockerfile']}")
    for secret, path in (options["secrets"] or {}).items():
        if not Path(path).is_file():
            raise FileNotFoundError(
                f"The build secret {secret} of {options['name']} cannot be read: {path} does not exist"
            )
    build_args = {name: str(value) for name, value in (options["build_args"] or {}).items()}
    # Contents of secrets (a machine's certificates) and a base image made here are no part of what was asked for.
    platforms = list(dict.fromkeys(options["platforms"] or ()))
    bill = options.get("sbom") or ""
    settings = {"dockerfile": options["dockerfile"], "build_args": build_args, "platforms": sorted(platforms)}
    settings |= {"base_image": base_image} if base_image else {}
    content = build_context.content_hash(entries, settings)
    return Image(
        name=options["name"],
        repository=options["repository"],
        tag=options["tag"] or f"sha-{content[:16]}",
        content=content,
        entries=entries,
        dockerfile=options["dockerfile"],
        build_args=build_args,
        secrets=options["secrets"] or {},
        platforms=tuple(platforms),
        sbom=bill,
        sbom_file=sbom_directory / f"{options['name']}{SBOM_SUFFIX}" if sbom_directory and bill else None,
    )


def build(engine: Engine, image: Image, log: Path) -> None:
    """Build the image unless the engine has one of this content; EngineError with the last lines of output."""
    found = engine.image(image.reference, CONTENT_LABEL)
    if found and found[1] == image.content:
        return
    with tempfile.TemporaryDirectory(prefix="sm2a-build-") as directory:
        build_context.stage(image.entries, Path(directory))
        run_logged(
            f"Building the image {image.name}",
            build_command(engine, image, directory),
            log,
            engine.environment,
            hint=f"Correct the cause and run again; finished steps are kept.{emulation_hint(image)}",
        )


def copy_sbom(engine: Engine, image: Image) -> None:
    """Copy the bill of materials out of the built image; nothing of the image is run."""
    if image.sbom_file is None:
        return
    image.sbom_file.parent.mkdir(parents=True, exist_ok=True)
    container = engine.must(f"Looking into the image {image.name}", "create", image.reference).splitlines()[-1]
    try:
        source = f"{container}:{image.sbom}"
        engine.must(f"Copying {image.sbom} out of the image {image.name}", "cp", source, str(image.sbom_file))
    finally:
        # With the volumes that the image declares.
        engine.query("rm", "--volumes", container)


def emulation_hint(image: Image) -> str:
    """A sentence for a build for another processor than this machine's; "" for any other."""
    foreign = [each for each in image.platforms if ARCHITECTURES.get(platform.machine(), "") not in each]
    if not foreign:
        return ""
    return f" This machine can run programs for {' and '.join(foreign)} only by emulation (Debian: qemu-user-static)."


def build_command(engine: Engine, image: Image, context: str) -> list[str]:
    """The engine's command line; secret contents stay in their files."""
    command = [engine.kind, "build", "--tag", image.reference, "--label", f"{CONTENT_LABEL}={image.content}"]
    command += ["--file", f"{context}/{image.dockerfile}"]
    if engine.kind == "docker":
        command += ["--progress", "plain"]
    if image.platforms:
        command += ["--platform", ",".join(image.platforms)]
    if image.fresh_base:
        command.append("--pull")
    for name, value in sorted(image.build_args.items()):
        command += ["--build-arg", f"{name}={value}"]
    for name, path in sorted(image.secrets.items()):
        command += ["--secret", f"id={name},src={path}"]
    return [*command, context]


@dataclass(frozen=True)
class Destination:
    """Where an image is pushed: registry host (and port), repository, and base64 of ``user:password``."""

    host: str
    repository: str
    token: str = field(repr=False)


def push(engine: Engine, image: Image, destination: Destination, compression: str, log: Path) -> None:
    """Push the built image, with Podman its layers in ``compression``: zstd or gzip.

    The login lives in a private temporary file and nowhere else: no argument, no log, no home directory.
    """
    host = destination.host
    target = f"{host}/{destination.repository}:{image.tag}"
    with tempfile.TemporaryDirectory(prefix="sm2a-login-") as directory:
        login = Path(directory) / "config.json"
        login.touch(mode=0o600)
        login.write_text(json.dumps({"auths": {host: {"auth": destination.token}}}), encoding="utf-8")
        environment = dict(engine.environment)
        if engine.kind == "podman":
            command = ["podman", "push", "--authfile", str(login)]
            command += ["--tls-verify=false"] if is_loopback(host) else []
            # Docker's own manifests know no zstd; ECS then pulls some layers and refuses the image.
            command += ["--format", "oci", "--compression-format", compression]
            command += [image.reference, f"docker://{target}"]
        else:
            # Another configuration directory would lose the chosen context, and with it the daemon.
            environment["DOCKER_HOST"] = engine.must(
                "Asking Docker for its address", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"
            )
            if target != image.reference:
                engine.must(f"Tagging {target}", "tag", image.reference, target)
            command = ["docker", "--config", directory, "push", target]
        run_logged(f"Pushing the image {image.name} to {host}", command, log, environment)


def is_loopback(host: str) -> bool:
    """Whether ``host[:port]`` is this machine itself, where plain HTTP is allowed."""
    name = host.rsplit(":", 1)[0] if host.count(":") == 1 else host
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name.strip("[]")).is_loopback
    except ValueError:
        return False
