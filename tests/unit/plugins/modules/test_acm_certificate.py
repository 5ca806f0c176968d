# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""acm_certificate against the local AWS: the ladder for imports, renewal, and where the private key goes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.plugins.module_utils.acm import api as acm_api
from ansible_collections.sm2a.airflow.plugins.module_utils.acm import x509 as certificates
from ansible_collections.sm2a.airflow.plugins.modules import acm_certificate
from ansible_collections.sm2a.airflow.tests.support import modules as support

MODULE = "acm_certificate"
NAMES = ["airflow.example.com", "127.0.0.1"]


@pytest.fixture(scope="session")
def aws_endpoint(local_aws_endpoint: str) -> str:
    """Certificates that requests validate and listeners keep: MiniStack alone has neither."""
    return local_aws_endpoint


@pytest.fixture
def present(unique_name: str) -> dict[str, Any]:
    return {"name": unique_name, "domain_names": NAMES, "tags": {"team": "data"}}


@pytest.fixture
def absent(unique_name: str) -> dict[str, Any]:
    return {"name": unique_name, "state": "absent"}


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    """Options of a certificate in PEM files."""
    made = certificates.self_signed(["imported.example.com"], 90)
    (tmp_path / "certificate.pem").write_text(made.certificate)
    (tmp_path / "key.pem").write_text(made.private_key)
    return {
        "source": "import",
        "certificate_file": str(tmp_path / "certificate.pem"),
        "private_key_file": str(tmp_path / "key.pem"),
    }


@pytest.fixture
def read_state(aws: Callable[[str], Any], unique_name: str) -> Callable[[], dict[str, Any]]:
    """ARN, tags and PEM text of the test's certificate; {} when absent."""
    acm = aws("acm")

    def read() -> dict[str, Any]:
        for summary in acm.list_certificates()["CertificateSummaryList"]:
            arn = summary["CertificateArn"]
            tags = {one["Key"]: one["Value"] for one in acm.list_tags_for_certificate(CertificateArn=arn)["Tags"]}
            if tags.get("Name") == unique_name:
                pem = acm.get_certificate(CertificateArn=arn)["Certificate"]
                return {"arn": arn, "tags": tags, "pem": pem}
        return {}

    return read


def test_ladder_self_signed(own_ladder: Callable[..., support.Ladder], present: dict[str, Any]) -> None:
    rungs = own_ladder()
    assert rungs.applied["certificate"]["domain_names"] == NAMES
    assert rungs.applied["certificate"]["self_signed"]
    assert rungs.applied["certificate"]["tags"] == {"Name": present["name"], "team": "data"}
    assert rungs.predicted["certificate"]["valid_until"] == rungs.applied["certificate"]["valid_until"]


def test_ladder_import(own_ladder: Callable[..., support.Ladder], files: dict[str, str]) -> None:
    rungs = own_ladder(**files)
    assert rungs.applied["certificate"]["domain_names"] == ["imported.example.com"]
    assert rungs.predicted["diff"]["after"]["fingerprint"] == rungs.applied["diff"]["after"]["fingerprint"]


@pytest.mark.parametrize(
    "change", [{"domain_names": ["other.example.com"]}, {"valid_days": 400, "renew_before_days": 399}]
)
def test_renewal_keeps_the_arn(
    run_module: support.RunModule,
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
    change: dict[str, Any],
) -> None:
    run_module(MODULE, present)
    made = read_state()
    options = {**present, **change}
    assert run_module(MODULE, options, check=True)["changed"]
    assert read_state() == made
    assert run_module(MODULE, options)["changed"]
    renewed = read_state()
    assert renewed["arn"] == made["arn"]
    assert renewed["pem"] != made["pem"]
    assert renewed["tags"] == made["tags"]
    assert not run_module(MODULE, options)["changed"]


def test_a_certificate_of_a_secret(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    secrets, name = aws("secretsmanager"), f"{present['name']}/certificate"
    made = [certificates.self_signed([f"{letter}.example.com"], 90) for letter in "ab"]
    texts = [json.dumps({"certificate": one.certificate, "private_key": one.private_key}) for one in made]
    secrets.create_secret(Name=name, SecretString=texts[0])
    options = {**present, "source": "import", "certificate_secret": name}
    assert run_module(MODULE, options, check=True)["changed"]
    result = run_module(MODULE, options)
    assert result["certificate"]["domain_names"] == ["a.example.com"]
    assert "PRIVATE" not in json.dumps(result)
    arn = read_state()["arn"]
    assert not run_module(MODULE, options)["changed"]
    secrets.put_secret_value(SecretId=name, SecretString=texts[1])
    support.change_once(run_module, MODULE, options, read_state)
    assert read_state()["arn"] == arn
    assert read_state()["pem"].strip() == made[1].certificate.strip()


def test_from_self_signed_to_files_and_new_files(
    run_module: support.RunModule,
    present: dict[str, Any],
    files: dict[str, str],
    read_state: Callable[[], dict[str, Any]],
) -> None:
    run_module(MODULE, present)
    arn = read_state()["arn"]
    assert run_module(MODULE, {**present, **files})["changed"]
    newer = certificates.self_signed(["imported.example.com"], 10)
    Path(files["certificate_file"]).write_text(newer.certificate)
    Path(files["private_key_file"]).write_text(newer.private_key)
    result = run_module(MODULE, {**present, **files})
    assert result["changed"]
    assert "import a new one" in str(result["warnings"])
    assert read_state()["arn"] == arn
    assert read_state()["pem"].strip() == newer.certificate.strip()


def test_the_chain_goes_with_the_certificate(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    files: dict[str, str],
    tmp_path: Path,
) -> None:
    chain = tmp_path / "chain.pem"
    options = {**present, **files, "chain_file": str(chain)}

    def stored() -> str:
        acm = aws("acm")
        return str(acm.get_certificate(CertificateArn=made["certificate_arn"])["CertificateChain"]).strip()

    authorities = [certificates.self_signed([f"authority-{letter}.example.com"], 90).certificate for letter in "ab"]
    chain.write_text(authorities[0])
    made = run_module(MODULE, options)["certificate"]
    assert stored() == authorities[0].strip()
    assert not run_module(MODULE, options)["changed"]
    chain.write_text(authorities[1])
    support.change_once(run_module, MODULE, options, stored)
    assert stored() == authorities[1].strip()


def test_tags_change_without_a_new_certificate(
    run_module: support.RunModule, present: dict[str, Any], read_state: Callable[[], dict[str, Any]]
) -> None:
    run_module(MODULE, present)
    made = read_state()
    assert run_module(MODULE, {**present, "tags": {"team": "platform"}})["changed"]
    assert read_state() == {**made, "tags": {"Name": present["name"], "team": "platform"}}
    untouched = {key: value for key, value in present.items() if key != "tags"}
    assert not run_module(MODULE, untouched)["changed"]


def test_the_private_key_stays_inside(
    run_module: support.RunModule, present: dict[str, Any], files: dict[str, str]
) -> None:
    for options in (present, {**present, **files}):
        assert "PRIVATE" not in json.dumps(run_module(MODULE, options))
    broken = Path(files["private_key_file"])
    broken.write_text(broken.read_text().replace("A", "B"))
    with pytest.raises(support.ModuleFailedError, match="private key is not") as failure:
        run_module(MODULE, {**present, **files})
    assert "BEGIN" not in json.dumps(failure.value.result)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"domain_names": []}, "domain_names is required"),
        ({"valid_days": 30}, "greater than renew_before_days"),
        (
            {"source": "import", "certificate_file": "/nonexistent", "private_key_file": "/nonexistent"},
            "Cannot read certificate_file /nonexistent: No such file",
        ),
        ({"source": "import"}, "certificate_file and private_key_file, or certificate_secret"),
        ({"source": "import", "certificate_secret": "unknown"}, "Secret unknown must be a JSON object with the keys"),
        ({"source": "request"}, "hosted_zone_id or hosted_zone_name is required"),
    ],
)
def test_wrong_input(
    run_module: support.RunModule, present: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(support.ModuleFailedError, match=message):
        run_module(MODULE, {**present, **change}, check=True)


def test_a_certificate_in_use_is_named_with_its_users(
    run_module: support.RunModule,
    aws: Callable[[str], Any],
    present: dict[str, Any],
    absent: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run_module(MODULE, present)
    real = aws("acm")

    class InUse:
        """The emulator's ACM, except that a load balancer uses every certificate."""

        def __getattr__(self, name: str) -> Any:
            return getattr(real, name)

        def delete_certificate(self, **_request: str) -> None:
            error = {"Error": {"Code": "ResourceInUseException", "Message": "in use"}}
            raise real.exceptions.ResourceInUseException(error, "DeleteCertificate")

        def describe_certificate(self, **request: str) -> dict[str, Any]:
            answer = real.describe_certificate(**request)
            return {"Certificate": {**answer["Certificate"], "InUseBy": ["arn:aws:elasticloadbalancing:app/web"]}}

    monkeypatch.setattr(acm_certificate, "client", lambda _module, _service: InUse())
    monkeypatch.setattr(acm_api, "IN_USE_RETRIES", 1)
    with pytest.raises(support.ModuleFailedError, match=r"is used by .*app/web: delete their listeners"):
        run_module(MODULE, absent)
