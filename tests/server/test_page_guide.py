"""The page tells its candidate what to do: in a real browser, with a fake camera, a real server."""

# ruff: noqa: F811  (fixtures are imported and then asked for by name)

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from playwright.sync_api import Page, expect
from tests.server.test_page import (  # noqa: F401  (fixtures)
    CHROMIUM,
    Server,
    accessibility_violations,
    browser,
    end_session,
    launch,
    overflow,
    server,
    start,
    visit,
)

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.timeout(300),
    pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed"),
]

JOINED = "409 (Conflict)"
"""What the console says when the page asks for a session that is there already, and joins it."""
QUICK = {
    "challenge": {"time_limit": 6, "max_attempts": 1},
    "calibration": {"step_time_limit": 6},
}


def begin(server: Server, page: Page, session_id: str) -> None:
    """A session made beforehand, which the page then joins."""
    made: dict[str, Any] = {"session_id": session_id, "accommodations": QUICK}
    httpx.post(f"{server.url}/api/sessions", json=made).raise_for_status()
    page.get_by_label("Session id").fill(session_id)
    start(page)


def test_the_position_is_said_until_it_is_good(visit: Callable[..., Page]) -> None:
    page = visit()
    panel = page.locator("#guide")
    expect(panel).to_contain_text("Not started")
    expect(page.get_by_role("button", name="Calibrate")).to_have_attribute("aria-disabled", "true")
    start(page)
    expect(panel.locator("#guide-state")).to_have_text("Ready", timeout=60_000)
    expect(panel).to_contain_text("You sit well.")
    # The camera then shows nobody for six seconds, and the face again.
    expect(panel).to_contain_text("Nobody is in the picture.")
    expect(panel.locator("#guide-state")).to_have_text("Not in the picture", timeout=2000)
    expect(panel).not_to_contain_text("You sit well.", timeout=2000)
    expect(panel).to_contain_text("You sit well.")
    end_session(page)
    expect(page.locator("#notices")).to_contain_text("The session has ended.")
    assert accessibility_violations(page) == []


def test_a_challenge_is_prompted_and_one_that_is_not_answered_is_an_incident(
    visit: Callable[..., Page],
    server: Server,
) -> None:
    page = visit(may_say=JOINED)
    begin(server, page, "challenged")
    expect(page.locator("#guide-state")).to_have_text("Ready", timeout=60_000)
    asked = httpx.post(
        f"{server.url}/api/sessions/challenged/challenge", json={"action": "turn_left"}
    )
    assert asked.status_code == 202
    prompt = page.get_by_role("alert").filter(has_text="Turn your head to your left.")
    expect(prompt).to_be_visible()
    left = prompt.locator("progress")
    first = left.evaluate("bar => bar.value")
    page.wait_for_timeout(1000)
    assert left.evaluate("bar => bar.value") < first
    assert accessibility_violations(page) == []
    expect(page.locator("#prompt")).to_contain_text("Not done")
    incident = page.locator('.incident[data-kind="liveness.challenge_failed"]')
    expect(incident).to_contain_text("Challenge Failed")
    expect(page.locator("#prompt")).to_be_hidden()


@pytest.mark.parametrize("width", [1280, 400])
def test_a_calibration_is_walked_through_by_keyboard_and_says_why_it_failed(
    visit: Callable[..., Page],
    server: Server,
    width: int,
) -> None:
    page = visit(may_say=JOINED, viewport={"width": width, "height": 800})
    begin(server, page, f"calibrated-{width}")
    expect(page.locator("#guide-state")).to_have_text("Ready", timeout=60_000)
    page.get_by_role("button", name="Calibrate").focus()
    page.keyboard.press("Enter")
    walk = page.get_by_role("dialog", name="Calibration")
    expect(walk).to_contain_text("Step 1 of 6")
    expect(walk).to_contain_text("Look at the dot in the top left corner.")
    dot = page.locator("#dot").bounding_box()
    assert dot is not None
    assert dot["x"] < 40
    assert dot["y"] < 40
    assert accessibility_violations(page) == []
    assert overflow(page) <= 0
    # The photograph before the camera looks nowhere else.
    expect(walk).to_contain_text("Not calibrated: look at the dot in the top left corner:")
    page.keyboard.press("Enter")  # the button that closes has the focus
    expect(walk).to_be_hidden()
    expect(page.locator("#calibration-outcome")).to_contain_text("Not calibrated")
