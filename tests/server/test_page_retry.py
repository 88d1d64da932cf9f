"""What the page does when the server refuses: it tries again where that may help, or says why not."""

# ruff: noqa: F811  (fixtures are imported and then asked for by name)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page, Route, expect
from tests.server.browser import in_browser
from tests.server.test_page import (  # noqa: F401  (fixtures)
    browser,
    launch,
    server,
    start,
    visit,
)

pytestmark = in_browser


def refuse_sessions(page: Page, status: int, error: dict[str, Any], times: int) -> list[str]:
    """Answer so many requests for a session with this error. Returns the methods that were refused."""
    refused: list[str] = []

    def answer(route: Route) -> None:
        if route.request.method == "POST" and len(refused) < times:
            refused.append(route.request.method)
            route.fulfill(status=status, json={"error": error})
        else:
            route.continue_()

    page.route("**/api/sessions", answer)
    return refused


def test_a_session_that_is_still_being_written_is_waited_for(visit: Callable[..., Page]) -> None:
    page = visit(may_say="409 (Conflict)")
    error = {"code": "session_closing", "detail": "still being written", "retryable": True}
    refused = refuse_sessions(page, 409, error, times=2)
    start(page)
    assert len(refused) == 2
    expect(page.locator("#notices")).not_to_contain_text("refused")


def test_a_refusal_that_does_not_pass_is_shown_and_not_repeated(
    visit: Callable[..., Page],
) -> None:
    page = visit(may_say="422 (Unprocessable")
    error = {"code": "bad_policy", "detail": "no such policy: brutal", "retryable": False}
    refused = refuse_sessions(page, 422, error, times=100)
    expect(page.get_by_label("Policy")).not_to_be_empty()
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#notices")).to_contain_text("no such policy: brutal")
    expect(page.locator("#connection")).to_have_text("Not connected")
    said = len(refused)
    page.wait_for_timeout(3000)
    assert len(refused) == said
