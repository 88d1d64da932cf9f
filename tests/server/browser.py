"""Pages in a real browser: what their tests share."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

CHROMIUM = shutil.which("chromium")

PATIENCE_MS = 120_000
"""Milliseconds that a busy machine may need for anything; never waited when all is well."""

expect.set_options(timeout=PATIENCE_MS)

FLAGS = (
    "--no-sandbox",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

in_browser = [
    pytest.mark.e2e,
    pytest.mark.timeout(900),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]
"""Marks of a module whose tests need a browser."""


def fresh(name: str) -> str:
    """A session's name that no other test has, nor this one when it runs again."""
    return f"{name}-{secrets.token_hex(3)}"


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser; closed at the end."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=list(FLAGS), timeout=PATIENCE_MS
        )
        yield browser
        browser.close()


def patient(context: BrowserContext) -> BrowserContext:
    """The same context, whose clicks and navigations may take as long as a busy machine needs."""
    context.set_default_timeout(PATIENCE_MS)
    return context


@contextmanager
def silent_page(browser: Browser) -> Iterator[Page]:
    """A page whose console must have been silent at the end."""
    complaints: list[str] = []
    context = patient(browser.new_context(viewport={"width": 1280, "height": 900}))
    page = context.new_page()
    page.on(
        "console", lambda m: complaints.append(m.text) if m.type in ("error", "warning") else None
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    yield page
    context.close()
    assert complaints == []


def wait_until(page: Page, condition: str, argument: object = None) -> None:
    """Wait until a JavaScript expression, or a function of ``argument``, is true in the page.

    Playwright's ``wait_for_function`` needs ``eval``, which the pages' Content-Security-Policy forbids.
    """
    for _ in range(PATIENCE_MS // 50):
        if page.evaluate(condition, argument):
            return
        page.wait_for_timeout(50)
    pytest.fail(f"not reached in time: {condition}")
