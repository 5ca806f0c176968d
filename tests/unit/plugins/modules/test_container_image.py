# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""container_image with a stand-in engine that pushes to the emulator's real ECR."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.base_image import DEFAULT_NAME
from ansible_collections.sm2a.airflow.plugins.module_utils.containers.image_build import is_loopback
from ansible_collections.sm2a.airflow.tests.support import modules as support
from ansible_collections.sm2a.airflow.tests.unit.plugins import fake_engine

REGISTRY = f"{support.ACCOUNT}.dkr.ecr.{support.REGION}.amazonaws.com"
BASE = DEFAULT_NAME


@pytest.fixture
def podman(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> fake_engine.FakeEngine:
    return fake_engine.install(tmp_path, monkeypatch, "podman")


@pytest.fixture(params=["podman", "docker"])
def engine(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> fake_engine.FakeEngine:
    return fake_engine.install(tmp_path, monkeypatch, request.param)


@pytest.fixture
def context(tmp_path: Path) -> Path:
    root = tmp_path / "context"
    root.mkdir()
    (root / "Dockerfile").write_text("FROM scratch\n")
    return root


@pytest.fixture
def pushed(aws: Callable[[str], Any], aws_endpoint: str, context: Path, unique_name: str) -> dict[str, Any]:
    """Arguments that push one image to a repository of its own."""
    aws("ecr").create_repository(repositoryName=unique_name, imageTagMutability="IMMUTABLE")
    return {
        "registry_endpoint": aws_endpoint.removeprefix("http://"),
        "log_directory": str(context.parent / "logs"),
        "minimum_free_gib": 0,
        "images": [{"name": "tiny", "repository": f"{REGISTRY}/{unique_name}", "context": str(context)}],
    }


def digest_in_ecr(aws: Callable[[str], Any], repository: str, tag: str) -> str:
    details = aws("ecr").describe_images(repositoryName=repository, imageIds=[{"imageTag": tag}])["imageDetails"]
    return str(details[0]["imageDigest"])


def test_check_apply_check_apply(
    engine: fake_engine.FakeEngine,
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    pushed: dict[str, Any],
    unique_name: str,
) -> None:
    predicted = run_module("container_image", pushed, check=True)
    assert predicted["changed"]
    assert predicted["images"][0]["uri"].endswith(f"/{unique_name}@sha256:{'0' * 64}")
    assert engine.calls == []
    support.assert_diff(predicted)

    applied = run_module("container_image", pushed)
    image = applied["images"][0]
    assert applied["changed"]
    assert image["tag"] == predicted["images"][0]["tag"]
    assert image["digest"] == digest_in_ecr(aws, unique_name, image["tag"])
    assert image["uri"] == f"{REGISTRY}/{unique_name}@{image['digest']}"
    assert "STEP 1" in Path(image["log"]).read_text()

    calls = len(engine.calls)
    for check in (True, False):
        repeated = run_module("container_image", pushed, check=check)
        assert not repeated["changed"]
        assert repeated["images"][0]["uri"] == image["uri"]
    assert len(engine.calls) == calls


def test_pushed_image_needs_no_engine(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any]
) -> None:
    made = run_module("container_image", pushed)
    (podman.directory / "bin/podman").unlink()
    assert run_module("container_image", pushed)["images"][0]["uri"] == made["images"][0]["uri"]


def test_login_is_no_argument_and_no_output(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any]
) -> None:
    result = run_module("container_image", pushed)
    log = Path(result["images"][0]["log"]).read_text()
    for secret in ("ministack-auth-token", "QVdTOm1pbmlzdGFjay1hdXRoLXRva2Vu"):
        assert secret not in str(podman.calls) + str(result) + log


def test_changed_file_makes_a_new_tag(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any], context: Path
) -> None:
    first = run_module("container_image", pushed)["images"][0]
    (context / "Dockerfile").write_text("FROM scratch\nENV A=1\n")
    second = run_module("container_image", pushed)["images"][0]
    assert second["changed"]
    assert second["tag"] != first["tag"]
    assert len(podman.calls_of("build")) == 2


def test_content_of_secrets_does_not_count(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any], tmp_path: Path
) -> None:
    tags = set()
    for number in (1, 2):
        bundle = tmp_path / f"ca{number}.pem"
        bundle.write_text(str(number))
        pushed["images"][0]["secrets"] = {"ca_bundle": str(bundle)}
        tags.add(run_module("container_image", pushed)["images"][0]["tag"])
    assert len(tags) == 1
    (build,) = podman.calls_of("build")
    assert f"id=ca_bundle,src={tmp_path}/ca1.pem" in build


def test_image_that_the_engine_still_has_is_only_pushed(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any], aws: Callable[[str], Any]
) -> None:
    first = run_module("container_image", pushed)["images"][0]
    name = first["uri"].partition("/")[2].partition("@")[0]
    aws("ecr").batch_delete_image(repositoryName=name, imageIds=[{"imageTag": first["tag"]}])
    again = run_module("container_image", pushed)["images"][0]
    assert again["changed"]
    assert (len(podman.calls_of("build")), len(podman.calls_of("push"))) == (1, 2)


@pytest.mark.parametrize("compression", ["zstd", "gzip"])
def test_podman_compresses_layers_as_asked_in_a_manifest_that_knows_it(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any], compression: str
) -> None:
    run_module("container_image", {**pushed, "compression": compression})
    (push,) = podman.calls_of("push")
    assert push[push.index("--compression-format") + 1] == compression
    assert push[push.index("--format") + 1] == "oci"


def test_failed_build_shows_the_end_of_its_log_and_the_others_are_made(
    podman: fake_engine.FakeEngine,
    run_module: support.RunModule,
    pushed: dict[str, Any],
    aws: Callable[[str], Any],
    tmp_path: Path,
) -> None:
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "Dockerfile").write_text("FROM scratch\nRUN false\n")
    good = pushed["images"][0]
    pushed["images"] = [{**good, "name": "broken", "context": str(broken)}, good]
    with pytest.raises(support.ModuleFailedError) as failure:
        run_module("container_image", pushed)
    message = failure.value.result["msg"]
    assert "Building the image broken failed (exit code 1)" in message
    assert "the command returned 1" in message
    assert str(tmp_path / "logs/broken.log") in message
    assert "Traceback" not in message
    pushed["images"] = [good]
    assert not run_module("container_image", pushed)["changed"]


def test_local_image(podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any]) -> None:
    image = {**pushed["images"][0], "repository": "docker.io/library/postgres", "tag": "17-alpine"}
    args = {**pushed, "push": False, "images": [image]}
    assert run_module("container_image", args, check=True)["changed"]
    made = run_module("container_image", args)
    assert made["images"][0]["uri"] == "docker.io/library/postgres:17-alpine"
    assert list(podman.images) == ["docker.io/library/postgres:17-alpine"]
    assert not run_module("container_image", args)["changed"]
    (Path(image["context"]) / "Dockerfile").write_text("FROM scratch\nENV A=1\n")
    assert run_module("container_image", args)["changed"], "an old image of the same name is out of date"


def test_base_image_is_pulled_before_a_build_only(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any]
) -> None:
    pushed["base_image"] = {"source": "registry"}
    run_module("container_image", pushed)
    assert podman.calls_of("pull") == [["pull", BASE]]
    assert podman.calls.index(["pull", BASE]) < podman.calls.index(podman.calls_of("build")[0])
    [build] = podman.calls_of("build")
    assert f"BASE_IMAGE={BASE}" in build
    run_module("container_image", pushed)
    assert len(podman.calls_of("pull")) == 1


def test_another_base_image_makes_another_tag_and_a_tag_is_refused(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any]
) -> None:
    def tag(name: str) -> str:
        made = run_module("container_image", {**pushed, "base_image": {"name": name}}, check=True)
        return str(made["images"][0]["tag"])

    assert tag(BASE) != tag(f"docker.io/library/debian@sha256:{'5' * 64}")
    with pytest.raises(support.ModuleFailedError, match="must be given by digest"):
        tag("docker.io/library/debian:trixie-slim")


def test_bill_of_materials_is_copied_out_of_the_image(
    engine: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any], tmp_path: Path
) -> None:
    pushed["sbom_directory"] = str(tmp_path / "sbom")
    pushed["images"][0]["sbom"] = "/usr/share/sbom.json"
    made = run_module("container_image", pushed)["images"][0]
    file = tmp_path / "sbom/tiny.cdx.json"
    assert made["sboms"] == [str(file)]
    container = f"container-of-{pushed['images'][0]['repository']}:{made['tag']}"
    assert file.read_text() == f"copied from {container}:/usr/share/sbom.json\n"
    assert engine.calls_of("rm") == [["rm", "--volumes", container]]
    assert not engine.calls_of("run"), "nothing of the image runs on this machine"
    pushed["images"][0]["platforms"] = ["linux/arm64", "linux/amd64"]
    both = run_module("container_image", pushed)["images"][0]["sboms"]
    assert [Path(one).name for one in both] == ["tiny-arm64.cdx.json", "tiny-amd64.cdx.json"]


def test_too_little_disk_space_is_told_before_anything_is_begun(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any]
) -> None:
    with pytest.raises(
        support.ModuleFailedError, match=r"Building tiny needs 1e\+06 GiB of free disk space, and .* has"
    ):
        run_module("container_image", {**pushed, "minimum_free_gib": 1_000_000})
    assert podman.calls_of("build") == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"repository": "docker.io/library/tiny"}, "is not the URI of an ECR repository"),
        ({"dockerfile": "Other"}, "has no Other"),
        ({"context": "/nonexistent"}, "has no directory /nonexistent"),
        (
            {"secrets": {"ca_bundle": "/nonexistent.pem"}},
            "ca_bundle of tiny cannot be read: /nonexistent.pem does not exist",
        ),
    ],
)
def test_bad_input_is_named(
    podman: fake_engine.FakeEngine,
    run_module: support.RunModule,
    pushed: dict[str, Any],
    change: dict[str, Any],
    message: str,
) -> None:
    pushed["images"][0].update(change)
    with pytest.raises(support.ModuleFailedError, match=message):
        run_module("container_image", pushed)


def test_no_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_module: support.RunModule, pushed: dict[str, Any]
) -> None:
    fake_engine.install(tmp_path, monkeypatch)
    with pytest.raises(
        support.ModuleFailedError, match=r"No container engine found: .*Start Docker or install one of them"
    ):
        run_module("container_image", pushed)


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1:4566", True),
        ("localhost:4566", True),
        ("localhost", True),
        ("[::1]", True),
        ("10.91.0.1:4566", False),
        (REGISTRY, False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_plain_http_goes_to_this_machine_only(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_overlays_are_laid_over_the_context_and_count(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any], tmp_path: Path
) -> None:
    project = tmp_path / "project"
    (project / "dags").mkdir(parents=True)
    (project / "dags/mine.py").write_text("x = 1\n")
    (project / "notes.txt").write_text("not for the image\n")
    overlay = {"source": str(project), "target": "project", "include": ["requirements.txt", "dags"]}
    plain = run_module("container_image", pushed, check=True)["images"][0]["tag"]
    pushed["images"][0]["overlays"] = [overlay]
    first = run_module("container_image", pushed)["images"][0]["tag"]
    (project / "notes.txt").write_text("changed\n")
    assert run_module("container_image", pushed, check=True)["images"][0]["tag"] == first != plain
    (project / "dags/mine.py").write_text("x = 2\n")
    assert run_module("container_image", pushed, check=True)["images"][0]["tag"] != first
    for change in ({"source": str(tmp_path / "nowhere")}, {"include": ["nothing"]}):
        pushed["images"][0]["overlays"] = [{**overlay, **change}]
        with pytest.raises(support.ModuleFailedError, match=r"The directory \S+ does not exist|has none of nothing"):
            run_module("container_image", pushed)


def test_two_platforms_become_one_index(
    podman: fake_engine.FakeEngine,
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    pushed: dict[str, Any],
    unique_name: str,
) -> None:
    pushed["images"][0]["platforms"] = ["linux/arm64", "linux/amd64"]
    made = run_module("container_image", pushed)["images"][0]
    builds = [call[call.index("--platform") + 1] for call in podman.calls_of("build")]
    assert builds == ["linux/arm64", "linux/amd64"]
    assert all("--pull" in call for call in podman.calls_of("build"))
    ecr = aws("ecr")
    image = ecr.batch_get_image(repositoryName=unique_name, imageIds=[{"imageTag": made["tag"]}])["images"][0]
    index = json.loads(image["imageManifest"])
    assert made["digest"] == digest_in_ecr(aws, unique_name, made["tag"])
    assert {entry["platform"]["architecture"]: entry["digest"] for entry in index["manifests"]} == {
        architecture: digest_in_ecr(aws, unique_name, f"{made['tag']}-{architecture}")
        for architecture in ("amd64", "arm64")
    }
    assert not run_module("container_image", pushed)["changed"]
    # An interrupted run had pushed the parts, but not the index.
    ecr.batch_delete_image(repositoryName=unique_name, imageIds=[{"imageTag": made["tag"]}])
    again = run_module("container_image", pushed)
    assert again["changed"]
    assert again["images"][0]["digest"] == made["digest"]
    assert len(podman.calls_of("push")) == 2


def test_images_for_several_platforms_do_not_stay_here(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any]
) -> None:
    pushed["images"][0]["platforms"] = ["linux/arm64", "linux/amd64"]
    with pytest.raises(
        support.ModuleFailedError,
        match="tiny: an image for several platforms cannot stay on this machine; push it to a repository",
    ):
        run_module("container_image", {**pushed, "push": False})


def test_failed_build_for_another_processor_tells_what_it_needs(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any], context: Path
) -> None:
    (context / "Dockerfile").write_text("FROM scratch\nRUN false\n")
    pushed["images"][0]["platforms"] = ["linux/riscv64"]
    with pytest.raises(support.ModuleFailedError, match="programs for linux/riscv64 only by emulation"):
        run_module("container_image", pushed)


def test_info_says_which_images_ecr_has(
    podman: fake_engine.FakeEngine, run_module: support.RunModule, pushed: dict[str, Any]
) -> None:
    asked = {"images": pushed["images"]}

    def look(check: bool = False, **options: Any) -> dict[str, Any]:
        result = run_module("container_image_info", {**asked, **options}, check=check)
        assert not result["changed"]
        return dict(result["images"][0])

    [predicted] = run_module("container_image", pushed, check=True)["images"]
    missing = {"name": "tiny", "exists": False, "tag": predicted["tag"], "digest": "", "uri": ""}
    assert look(placeholders=True) == look(check=True) == missing
    made_up = look(check=True, placeholders=True)
    assert made_up == {**missing, "digest": predicted["digest"], "uri": predicted["uri"]}
    unknown = [{**pushed["images"][0], "repository": ""}]
    assert look(check=True, placeholders=True, images=unknown) == missing

    [made] = run_module("container_image", pushed)["images"]
    found = {**missing, "exists": True, "digest": made["digest"], "uri": made["uri"]}
    assert look() == look(check=True, placeholders=True) == found
    with pytest.raises(support.ModuleFailedError, match="is not the URI of an ECR repository"):
        look(images=[{**pushed["images"][0], "repository": "docker.io/library/tiny"}])
    with pytest.raises(support.ModuleFailedError, match="has no Other"):
        look(images=[{**pushed["images"][0], "dockerfile": "Other"}])
