# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""tools.packages against indexes, an archive and databases on loopback, and without any."""

from __future__ import annotations

import http.server
import json
import lzma
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.sm2a.airflow.tests.support.ports import free_port
from ansible_collections.sm2a.airflow.tools.packages import __main__ as program
from ansible_collections.sm2a.airflow.tools.packages.newest import JSON_INDEX

# Address -> content type and body, or what to do with the body of a request.
Pages = dict[str, tuple[str, bytes] | Callable[[Any], Any]]
BILL = {
    "components": [
        {"purl": "pkg:pypi/celery@5.6.3"},
        {"purl": "pkg:pypi/kombu@5.7.0"},
        {"purl": "pkg:pypi/own@3?download_url=https://example.com/own-3.whl"},
        {"purl": "pkg:deb/debian/libssl3t64@3.5.1-1?arch=amd64&distro=debian-13&upstream=openssl%403.5.1-1"},
        {"purl": "pkg:deb/debian/tzdata@2026a-1?arch=all&distro=debian-13&upstream=tzdata%402026a-1"},
        {"type": "file", "name": "/ca.pem"},
    ]
}


def simple(*files: tuple[str, str, bool]) -> tuple[str, bytes]:
    """A page of a package index: file names, days, and whether the file was withdrawn."""
    listed = [{"filename": name, "upload-time": f"{day}T12:00:00Z", "yanked": gone} for name, day, gone in files]
    return JSON_INDEX, json.dumps({"files": listed}).encode()


def suite(packages: str) -> bytes:
    return lzma.compress(packages.encode())


CELERY = simple(
    ("celery-5.6.3-py3-none-any.whl", "2026-03-01", False),
    ("celery-5.6.3.tar.gz", "2026-03-02", False),
    ("celery-5.6.4-py3-none-any.whl", "2026-05-01", False),
    ("celery-5.6.5-py3-none-any.whl", "2026-06-01", True),
    ("celery-5.7.0rc1-py3-none-any.whl", "2026-07-01", False),
)
INDEX: Pages = {
    "/simple/celery/": CELERY,
    "/simple/kombu/": ("text/html", b'<a href="x">kombu-5.6.0.tar.gz</a> <a href="y">kombu-5.7.0-py3-none-any.whl</a>'),
}
RELEASE = ("text/plain", b"Origin: Debian\nDate: Sat, 14 Nov 2026 10:00:00 UTC\n")
ARCHIVE: Pages = {
    "/debian/dists/trixie/InRelease": RELEASE,
    "/debian/dists/trixie-updates/InRelease": RELEASE,
    "/security/dists/trixie-security/InRelease": ("text/plain", b"Date: Sun, 22 Nov 2026 10:00:00 UTC\n"),
    "/debian/dists/trixie/main/binary-amd64/Packages.xz": (
        "",
        suite("Package: libssl3t64\nVersion: 3.5.1-1\n\nPackage: tzdata\nVersion: 2026a-1\n"),
    ),
    "/debian/dists/trixie-updates/main/binary-amd64/Packages.xz": ("", suite("")),
    "/security/dists/trixie-security/main/binary-amd64/Packages.xz": (
        "",
        suite("Package: libssl3t64\nVersion: 3.5.1-1+deb13u2\n"),
    ),
}


@pytest.fixture
def serve() -> Iterator[Callable[[Pages], str]]:
    """Serves pages on loopback; the address."""
    servers = []

    def start(pages: Pages) -> str:
        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = pages.get(self.path)
                if isinstance(page, tuple):
                    self.reply(200, *page)
                else:
                    self.reply(404, "text/plain", b"")

            def do_POST(self) -> None:
                page = pages.get(self.path)
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                if callable(page):
                    self.reply(200, "application/json", json.dumps(page(asked)).encode())
                else:
                    self.reply(404, "text/plain", b"")

            def reply(self, status: int, kind: str, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_arguments: Any) -> None:
                pass

        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_address[1]}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def report(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Runs the program on the bill of one image; what it printed. What is not given cannot be reached."""
    (tmp_path / "sbom").mkdir()
    (tmp_path / "sbom/airflow.cdx.json").write_text(json.dumps(BILL), encoding="utf-8")
    (tmp_path / "docker/autoscaler").mkdir(parents=True)
    text = "celery==5.6.3 \\\n    --hash=sha256:0\n# a comment\n"
    (tmp_path / "docker/autoscaler/requirements.txt").write_text(text, encoding="utf-8")

    def run(index: str = "", archive: str = "", osv: str = "") -> str:
        nowhere = f"http://127.0.0.1:{free_port()}"
        arguments = ["--bills", str(tmp_path / "sbom"), "--docker", str(tmp_path / "docker"), "--suite", "trixie"]
        arguments += ["--index-url", f"{index or nowhere}/simple", "--osv-url", osv or nowhere]
        arguments += ["--debian-mirror", f"{archive or nowhere}/debian"]
        arguments += ["--security-mirror", f"{archive or nowhere}/security"]
        assert program.main([*arguments, "--output", str(tmp_path / "report.txt")]) == 0
        printed = capsys.readouterr().out
        assert (tmp_path / "report.txt").read_text(encoding="utf-8") == printed
        return str(printed)

    return run


def rows(printed: str) -> dict[str, list[str]]:
    """The cells of each package's line, by the package's name."""
    lines = [line.split() for line in printed.partition("\n\n")[0].splitlines()[1:]]
    return {words[words.index(kind) + 1]: words for words in lines for kind in ("Python", "Debian") if kind in words}


def test_newest_and_behind_are_told_with_dates(report: Callable[..., str], serve: Callable[[Pages], str]) -> None:
    printed = report(index=serve(INDEX), archive=serve(ARCHIVE))
    found = rows(printed)
    # Neither a withdrawn release nor one before a release is the newest.
    assert found["celery"] == (
        ["behind", "Python", "celery", "5.6.3", "2026-03-01", "5.6.4", "2026-05-01", "airflow,", "autoscaler"]
    )
    assert found["kombu"][:4] == ["newest", "Python", "kombu", "5.7.0"]
    assert found["libssl3t64"] == (
        ["behind", "Debian", "libssl3t64", "3.5.1-1", "3.5.1-1+deb13u2", "22", "Nov", "2026", "airflow"]
    )
    assert found["tzdata"][0] == "newest"
    assert "own" not in found, "it comes from no index"
    assert "Python packages: 1 behind, 1 newest" in printed
    assert "Debian packages: 1 behind, 1 newest" in printed
    assert "no bill of materials of autoscaler here" in printed


def test_without_a_network_nothing_fails_and_nothing_is_claimed(report: Callable[..., str]) -> None:
    printed = report()
    assert {row[0] for row in rows(printed).values()} == {"not"}
    assert "Python packages: 2 not looked up" in printed
    assert "Debian packages: 2 not looked up" in printed
    assert "cannot be reached" in printed
    assert "Known vulnerabilities were NOT looked up" in printed
    assert "says nothing about them" in printed


def test_osv_is_asked_about_all_packages(report: Callable[..., str], serve: Callable[[Pages], str]) -> None:
    questions: list[dict[str, Any]] = []

    def answer(asked: dict[str, Any]) -> dict[str, Any]:
        questions.extend(asked["queries"])
        first: dict[str, dict[str, Any]] = {"openssl": {"vulns": [{"id": "DEBIAN-CVE-1"}]}}
        first |= {"celery": {"vulns": [{"id": "PYSEC-1"}], "next_page_token": "2"}}
        more = {"celery": {"vulns": [{"id": "PYSEC-2"}]}}
        pages = [(more if "page_token" in one else first, one["package"]["name"]) for one in asked["queries"]]
        return {"results": [page.get(name, {}) for page, name in pages]}

    osv = serve({"/v1/querybatch": answer})
    printed = report(osv=osv)
    assert f"Known vulnerabilities by {osv}: in 2 of 4 packages" in printed
    assert "Python celery 5.6.3: PYSEC-1, PYSEC-2" in printed
    assert "Debian libssl3t64 3.5.1-1: DEBIAN-CVE-1" in printed
    assert "NOT looked up" not in printed
    # Debian's vulnerabilities are listed by source package.
    assert {"package": {"name": "openssl", "ecosystem": "Debian:13"}, "version": "3.5.1-1"} in questions


def test_pypi_is_asked_where_osv_cannot_be_reached(report: Callable[..., str], serve: Callable[[Pages], str]) -> None:
    known = [{"id": "PYSEC-1", "withdrawn": None}, {"id": "PYSEC-0", "withdrawn": "2026-01-01"}]
    pages = {
        **INDEX,
        "/pypi/celery/5.6.3/json": ("application/json", json.dumps({"vulnerabilities": known}).encode()),
        "/pypi/kombu/5.7.0/json": ("application/json", b'{"vulnerabilities": []}'),
    }
    index = serve(pages)
    printed = report(index=index)
    assert f"Known vulnerabilities by {index}/simple: in 1 of 2 packages" in printed
    assert "Python celery 5.6.3: PYSEC-1\n" in printed
    assert "NOT looked up: the 2 Debian packages" in printed


def test_a_mirror_without_the_interface_of_pypi_is_no_database(
    report: Callable[..., str], serve: Callable[[Pages], str]
) -> None:
    assert "Known vulnerabilities were NOT looked up" in report(index=serve(INDEX))


def test_nothing_to_report_about_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert program.main(["--bills", str(tmp_path), "--docker", str(tmp_path)]) == 1
    assert "neither bills of materials nor requirements" in capsys.readouterr().err
