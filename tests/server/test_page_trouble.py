"""What the page says when camera, browser, network or server do not do their part."""

# ruff: noqa: F811  (fixtures are imported and then asked for by name)

from __future__ import annotations

import os
import re
import signal
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from tests.server.browser import in_browser
from tests.server.test_page import (  # noqa: F401  (fixtures)
    NOTHING,
    Server,
    accessibility_violations,
    browser,
    launch,
    server,
    start,
    visit,
)

pytestmark = in_browser

HANGING_CAMERA = "navigator.mediaDevices.getUserMedia = () => new Promise(() => {});"
HANGING_MICROPHONE = """
const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
navigator.mediaDevices.getUserMedia = (wanted) => wanted.audio ? new Promise(() => {}) : ask(wanted);
"""
NO_PICTURES = "HTMLMediaElement.prototype.play = () => new Promise(() => {});"
SILENT_PLAY = """
const play = HTMLMediaElement.prototype.play;
HTMLMediaElement.prototype.play = function () { play.call(this); return new Promise(() => {}); };
"""
PLAY_AFTER_A_CLICK = """
const play = HTMLMediaElement.prototype.play;
let asked = 0;
HTMLMediaElement.prototype.play = function () {
  asked += 1;
  return asked > 1 ? play.call(this) : Promise.reject(new DOMException("no click", "NotAllowedError"));
};
"""
MUTE = """(muted) => {
    const [track] = document.getElementById("video").srcObject.getVideoTracks();
    Object.defineProperty(track, "muted", { value: muted, configurable: true });
    track.dispatchEvent(new Event(muted ? "mute" : "unmute"));
}"""


@pytest.fixture
def broken(visit: Callable[..., Page]) -> Callable[..., Page]:
    """Opens the page in a browser of which this script has changed something."""

    def open_page(script: str, **options: Any) -> Page:
        page = visit(**options)
        page.add_init_script(script)
        page.reload()
        expect(page.get_by_label("Policy")).not_to_be_empty()
        return page

    return open_page


def press_start(page: Page) -> None:
    page.get_by_role("button", name="Start").click()


def hint(page: Page) -> Any:
    return expect(page.locator("#stage-hint"))


def notices(page: Page) -> Any:
    return expect(page.locator("#notices"))


def become_ready(page: Page) -> None:
    start(page)
    expect(page.locator("#guide")).to_contain_text("You sit well.")


# --- camera ---


def test_a_camera_that_never_answers_is_said_and_can_be_given_up(
    broken: Callable[..., Page],
) -> None:
    page = broken(HANGING_CAMERA)
    press_start(page)
    hint(page).to_have_text("Opening the camera")
    notices(page).to_contain_text("The camera does not answer.")
    assert accessibility_violations(page) == []
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    notices(page).to_be_empty()


def test_a_microphone_that_never_answers_does_not_keep_the_pictures(
    broken: Callable[..., Page],
) -> None:
    page = broken(HANGING_MICROPHONE)
    page.context.grant_permissions(["camera", "microphone"])
    press_start(page)
    expect(page.locator("#connection")).to_have_text("Connected")
    notices(page).to_contain_text("No sound is sent")


def test_a_camera_without_a_picture_is_named_as_that(broken: Callable[..., Page]) -> None:
    page = broken(NO_PICTURES)
    press_start(page)
    notices(page).to_contain_text("The camera is open but gives no picture.")
    page.get_by_role("button", name="Cancel").click()
    expect(page.get_by_role("button", name="Start")).to_be_visible()


def test_pictures_count_where_the_browser_does_not_say_that_it_plays(
    broken: Callable[..., Page],
) -> None:
    page = broken(SILENT_PLAY)
    start(page)
    expect(page.locator("#reading-faces")).not_to_have_text(NOTHING)


def test_a_browser_that_wants_a_click_before_it_plays_gets_one(
    broken: Callable[..., Page],
) -> None:
    page = broken(PLAY_AFTER_A_CLICK)
    press_start(page)
    notices(page).to_contain_text("before you allow it by a click")
    notices(page).not_to_contain_text("refused")
    page.get_by_role("button", name="Play the video").click()
    expect(page.locator("#connection")).to_have_text("Connected")
    notices(page).not_to_contain_text("by a click")


def test_a_camera_that_goes_dark_is_said_and_sends_no_old_picture(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    start(page)
    expect(page.locator("#reading-faces")).not_to_have_text(NOTHING)
    page.evaluate(MUTE, True)
    notices(page).to_contain_text("The camera gives no picture now.")
    expect(page.locator("#guide-state")).to_have_text("No picture")
    expect(page.locator("#speed-sent")).to_have_text("0.0")
    page.evaluate(MUTE, False)
    expect(page.locator("#speed-sent")).not_to_have_text("0.0")
    notices(page).not_to_contain_text("gives no picture")
    expect(page.locator("#guide-state")).not_to_have_text("No picture")


def test_a_camera_that_goes_dark_while_the_server_is_silent_is_said_when_it_answers_again(
    visit: Callable[..., Page], server: Server
) -> None:
    page = visit()
    start(page)
    expect(page.locator("#reading-faces")).not_to_have_text(NOTHING)
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        page.evaluate(MUTE, True)
        expect(page.locator("#connection")).to_have_text("No answer")
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(page.locator("#guide-state")).to_have_text("No picture")
    notices(page).not_to_contain_text("nothing is checked now")


# --- network and server ---


def test_offline_is_said_at_once_and_the_position_is_not_praised(
    visit: Callable[..., Page],
) -> None:
    page = visit(may_say="ERR_INTERNET_DISCONNECTED")
    become_ready(page)
    page.context.set_offline(True)
    notices(page).to_contain_text("offline")
    expect(page.locator("#connection")).to_have_text("Offline")
    expect(page.locator("#guide")).not_to_contain_text("You sit well.")
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_have_text("Connected")
    notices(page).not_to_contain_text("offline")
    expect(page.locator("#guide-state")).not_to_have_text("Offline")


def test_a_server_that_stops_answering_is_said_and_found_again(
    visit: Callable[..., Page], server: Server
) -> None:
    page = visit()
    start(page)
    expect(page.locator("#reading-faces")).not_to_have_text(NOTHING)
    assert server.process is not None
    os.kill(server.process.pid, signal.SIGSTOP)
    try:
        notices(page).to_contain_text("nothing is checked now")
        expect(page.locator("#connection")).to_have_text("No answer")
        expect(page.locator("#guide-state")).to_have_text("No answer")
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
    notices(page).not_to_contain_text("nothing is checked now")
    expect(page.locator("#guide-state")).not_to_have_text("No answer")


def test_messages_move_nothing(visit: Callable[..., Page]) -> None:
    page = visit()
    expect(page.locator("#capabilities li").first).to_be_visible()  # the server has answered
    expect(page.locator("#policy-description")).not_to_be_empty()
    where = """() => [...document.querySelectorAll(".bar, .stage-card, #guide, #setup, .foot")].map(
        (part) => JSON.stringify(part.getBoundingClientRect()))"""
    before = page.evaluate(where)
    page.evaluate(
        """async () => {
            const { notify } = await import("/page/notices.js");
            for (const subject of ["a", "b", "c"]) notify(subject, "error", "Something is wrong. ".repeat(9));
        }"""
    )
    expect(page.locator(".notice")).to_have_count(3)
    assert page.evaluate(where) == before
    page.get_by_role("button", name="Close this message").first.click()
    expect(page.locator(".notice")).to_have_count(2)
    assert page.evaluate(where) == before


def test_a_candidate_hears_nothing_of_computing_time(visit: Callable[..., Page]) -> None:
    page = visit()
    health = {
        "status": "degraded",
        "access": "local",
        "grant": {"scopes": ["media", "events"], "sessions": ["exam-7"]},
        "detail": "1 session is analysed at less than the full rate, for want of computing time",
        "version": "0.1.0",
        "capabilities": [],
    }
    page.route("**/api/health", lambda route: route.fulfill(json=health))
    page.reload()
    expect(page.locator("#session-id")).to_have_value("exam-7")
    expect(page.get_by_text("computing time")).to_be_hidden()
    expect(page.get_by_text("frames/s").first).to_be_hidden()
    notices(page).to_be_empty()


# --- the session ---


def test_a_page_that_is_loaded_again_goes_on_with_its_session(
    visit: Callable[..., Page], server: Server
) -> None:
    page = visit()
    start(page)
    incident = page.locator('.incident[data-kind="face.absent"]').first
    expect(incident).to_be_visible(timeout=60_000)
    session_id = page.locator("#session-id").input_value()
    page.reload()
    expect(page.locator("#session-id")).to_have_value(session_id)
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(page.locator("#reading-faces")).not_to_have_text(NOTHING)
    expect(incident).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    page.reload()
    notices(page).to_contain_text(f"Session {session_id} is still open")
    page.get_by_role("button", name="Continue").click()
    expect(page.locator("#reading-faces")).not_to_have_text(NOTHING)
    assert server.ask("DELETE", f"sessions/{session_id}").is_success
    notices(page).to_contain_text("The session has ended on the server.")
    page.reload()
    expect(page.locator("#session-id")).not_to_have_value(session_id)


def test_ending_asks_first_and_says_why_it_failed(
    visit: Callable[..., Page], server: Server
) -> None:
    page = visit(may_say="403 (Forbidden)")
    start(page)
    session = f"sessions/{page.locator('#session-id').input_value()}"
    asked = page.get_by_role("dialog", name="End the session?")
    page.get_by_role("button", name="End session").click()
    expect(asked.get_by_role("button", name="Keep it open")).to_be_focused()
    assert accessibility_violations(page) == []
    page.keyboard.press("Escape")
    expect(asked).to_be_hidden()
    expect(page.get_by_role("button", name="Stop")).to_be_visible()
    assert server.ask("GET", session).json()["video"] is True

    error = {"code": "forbidden", "detail": "this needs a token for admin", "retryable": False}
    page.route(
        re.compile("/api/sessions/"),
        lambda route: (
            route.fulfill(status=403, json={"error": error})
            if route.request.method == "DELETE"
            else route.continue_()
        ),
    )
    page.get_by_role("button", name="End session").click()
    asked.get_by_role("button", name="Yes, end it").click()
    notices(page).to_contain_text("The session has not been ended: this needs a token for admin.")
    assert server.ask("GET", session).is_success
    page.unroute(re.compile("/api/sessions/"))
    page.get_by_role("button", name="Try again").click()
    notices(page).to_contain_text("The session has ended.")
    assert server.ask("GET", session).status_code == 404
