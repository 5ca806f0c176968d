# Copyright: SM2A contributors
# SPDX-License-Identifier: Apache-2.0
"""A person's first steps: open the address in Chromium, log in, see the DAGs."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ansible_collections.sm2a.airflow.tools.debian import installed
from playwright.sync_api import Page, expect, sync_playwright

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
SECOND = 1000  # milliseconds


def refused(url: str, username: str, password: str, pages: Iterable[str]) -> dict[str, list[str]]:
    """What the browser refused to load or run on each of the pages because of a policy of the server.

    A page that stays empty is refused as a whole.
    """
    found: dict[str, list[str]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed("chromium", "chromium"), args=FLAGS)
        try:
            page = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 800}).new_page()
            page.set_default_timeout(60 * SECOND)
            said: list[str] = []
            page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
            _sign_in(page, url, username, password)
            for path in pages:
                said.clear()
                page.goto(f"{url}{path}", wait_until="networkidle")
                expect(page.locator("body"), path).not_to_be_empty(timeout=60 * SECOND)
                found[path] = [text for text in said if "Content Security Policy" in text or "Refused to" in text]
        finally:
            browser.close()
    return {path: texts for path, texts in found.items() if texts}


def log_in(url: str, username: str, password: str, screenshot: Path) -> str:
    """Log in at ``url``, wait for the list of DAGs, keep a picture of it; returns the text of the page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=installed("chromium", "chromium"), args=FLAGS)
        try:
            # The load balancer's certificate is self-signed here; that it is the right one is tested apart.
            page = browser.new_context(ignore_https_errors=True, viewport={"width": 1280, "height": 800}).new_page()
            page.set_default_timeout(60 * SECOND)
            return _log_in(page, url, username, password, screenshot)
        finally:
            browser.close()


def _log_in(page: Page, url: str, username: str, password: str, screenshot: Path) -> str:
    _sign_in(page, url, username, password)
    page.goto(f"{url}/dags")
    expect(page.get_by_text("sm2a_smoke").first).to_be_visible(timeout=60 * SECOND)
    screenshot.parent.mkdir(exist_ok=True)
    page.screenshot(path=screenshot)
    return page.inner_text("body")


def _sign_in(page: Page, url: str, username: str, password: str) -> None:
    page.goto(url)
    page.fill("input[name=username]", username)
    page.fill("input[name=password]", password)
    page.click("input[type=submit], button[type=submit]")
    page.wait_for_url(lambda address: "login" not in address)
