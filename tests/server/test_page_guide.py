"""The page tells its candidate what to do: in a real browser, with a fake camera, a real server."""

# ruff: noqa: F811  (fixtures are imported and then asked for by name)

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from tests.server.browser import fresh, in_browser
from tests.server.test_page import (  # noqa: F401  (fixtures)
    Server,
    accessibility_violations,
    browser,
    end_session,
    eventually,
    launch,
    noted,
    overflow,
    server,
    start,
    visit,
    visiting,
    write_camera,
)

pytestmark = in_browser

JOINED = "409 (Conflict)"
"""What the console says when the page asks for a session that is there already, and joins it."""
QUICK = {
    "challenge": {"time_limit": 6, "max_attempts": 1},
    "calibration": {"step_time_limit": 6},
}


@pytest.fixture(scope="module")
def steady_browser(
    launch: Callable[..., Browser], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser whose camera always shows the face."""
    camera = tmp_path_factory.mktemp("steady") / "camera.mjpeg"
    write_camera(camera, nobody_seconds=0)
    browser = launch(
        "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"
    )
    yield browser
    browser.close()


@pytest.fixture
def visit_steadily(steady_browser: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    with visiting(steady_browser, server) as open_page:
        yield open_page


def begin(server: Server, page: Page, name: str) -> str:
    """A session made beforehand, which the page then joins; its id."""
    session_id = fresh(name)
    made: dict[str, Any] = {"session_id": session_id, "accommodations": QUICK}
    server.ask("POST", "sessions", json=made).raise_for_status()
    page.get_by_label("Session id").fill(session_id)
    start(page)
    return session_id


def test_the_position_is_said_until_it_is_good(visit: Callable[..., Page]) -> None:
    page = visit()
    panel = page.locator("#guide")
    expect(panel).to_contain_text("Not started")
    expect(page.get_by_role("button", name="Calibrate")).to_have_attribute("aria-disabled", "true")
    said = noted(
        page,
        """[
            document.getElementById("guide-state").textContent,
            document.getElementById("guide-missing").textContent,
        ]""",
    )
    start(page)
    # The camera shows a face for six seconds, nobody for six, and the face again.
    good = ["Ready", "You sit well. Stay as you are."]
    gone = ["Not in the picture", "Nobody is in the picture."]
    eventually(page, lambda: gone in said() and said()[-1] == good)
    assert good in said()[: said().index(gone)]
    assert [text for state, text in said() if state != "Ready" and "You sit well" in text] == []
    end_session(page)
    expect(page.locator("#notices")).to_contain_text("The session has ended.")
    assert accessibility_violations(page) == []


def test_a_challenge_is_prompted_and_one_that_is_not_answered_is_an_incident(
    visit_steadily: Callable[..., Page],
    server: Server,
) -> None:
    page = visit_steadily(may_say=JOINED)
    session_id = begin(server, page, "challenged")
    expect(page.locator("#guide-state")).to_have_text("Ready")
    prompts = noted(
        page,
        """document.getElementById("prompt").hidden || [
            document.getElementById("prompt").getAttribute("role"),
            document.getElementById("prompt-text").textContent,
            document.getElementById("prompt-left").value,
        ]""",
    )
    asked = server.ask("POST", f"sessions/{session_id}/challenge", json={"action": "turn_left"})
    assert asked.status_code == 202
    eventually(page, lambda: len(prompts()) > 1)
    assert accessibility_violations(page) == []
    incident = page.locator('.incident[data-kind="liveness.challenge_failed"]')
    expect(incident).to_contain_text("Challenge Failed")
    expect(page.locator("#prompt")).to_be_hidden()
    shown = [prompt for prompt in prompts() if prompt is not True]
    assert {role for role, _, _ in shown} == {"alert"}
    left = [share for _, text, share in shown if text == "Turn your head to your left."]
    assert left[0] > left[-1] >= 0
    assert left == sorted(left, reverse=True)
    assert shown[-1][1].startswith("Not done: ")


@pytest.mark.parametrize("width", [1280, 400])
def test_a_calibration_is_walked_through_by_keyboard_and_says_why_it_failed(
    visit_steadily: Callable[..., Page],
    server: Server,
    width: int,
) -> None:
    page = visit_steadily(may_say=JOINED, viewport={"width": width, "height": 800})
    begin(server, page, f"calibrated-{width}")
    expect(page.locator("#guide-state")).to_have_text("Ready")
    steps = noted(
        page,
        """document.getElementById("walk").open && !document.getElementById("dot").hidden && [
            document.getElementById("walk-number").textContent,
            document.getElementById("walk-text").textContent,
            document.getElementById("dot").getBoundingClientRect().toJSON(),
        ]""",
    )
    page.get_by_role("button", name="Calibrate").focus()
    page.keyboard.press("Enter")
    walk = page.get_by_role("dialog", name="Calibration")
    expect(walk).to_be_visible()
    assert accessibility_violations(page) == []
    assert overflow(page) <= 0
    # The photograph before the camera looks nowhere else.
    expect(walk).to_contain_text("Not calibrated: look at the dot in the top left corner:")
    number, text, dot = next(step for step in steps() if step)
    assert (number, text) == ("Step 1 of 6", "Look at the dot in the top left corner.")
    assert dot["x"] < 40
    assert dot["y"] < 40
    page.keyboard.press("Enter")  # the button that closes has the focus
    expect(walk).to_be_hidden()
    expect(page.locator("#calibration-outcome")).to_contain_text("Not calibrated")
