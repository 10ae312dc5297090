"""A real Chromium for tests: its path, and a page that fails the test on any error in its console."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.db import connections
from playwright.sync_api import Page, sync_playwright

FINDER = Path(__file__).resolve().parent.parent / "bin" / "find_chromium"


def chromium() -> str:
    """CHROMIUM, or what bin/find_chromium finds or installs; without any the test fails, saying what to install."""
    if path := os.environ.get("CHROMIUM"):
        return path
    found = subprocess.run([sys.executable, FINDER], capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return found.stdout.strip()


@contextmanager
def pages(*, refused: bool = False, **options: Any) -> Iterator[Any]:
    """`open(**options)` makes a page in a context of its own. Console errors and page errors fail the test at the end;
    answers that refuse (409) do not where `refused` says that the test asks for them."""
    errors: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])

        def open_page(**more: Any) -> Page:
            page = browser.new_context(**{"locale": "en-GB", **options, **more}).new_page()
            page.set_default_timeout(15_000)
            page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
            page.on("pageerror", lambda error: errors.append(str(error)))
            return page

        try:
            yield open_page
        finally:
            browser.close()
            connections.close_all()  # the driver runs the test in a context of its own, with connections of its own
    assert [error for error in errors if not (refused and "status of 409" in error)] == []
