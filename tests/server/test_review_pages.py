"""The review pages in a real browser, over records that a real server wrote from real pixels."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect
from tests.server.browser import in_browser, launched, patient, silent_page, wait_until
from tests.server.live import Live, running, until
from tests.server.test_page import nobody, one_face, two_faces

from proctoring.vision.networks import VisionModels

pytestmark = in_browser

START_US = 1_767_348_000_000_000


@pytest.fixture(scope="module")
def server(vision_models: VisionModels, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    """A server with the records of one session that has ended, and one that is open."""
    with running(vision_models, data_folder=tmp_path_factory.mktemp("data")) as server:
        sit(server, "exam-7-maria")
        with server.http as http:
            http.delete("/api/sessions/exam-7-maria").raise_for_status()
            http.post("/api/sessions", json={"session_id": "exam-8"}).raise_for_status()
        yield server


def sit(server: Live, session_id: str) -> None:
    """A sitting of 24 s of media: a face, nobody, the face again, two faces."""
    scenes: list[tuple[int, Callable[[float], np.ndarray]]] = [
        (100, one_face), (50, nobody), (50, one_face), (30, two_faces), (10, one_face),
    ]  # fmt: skip
    with server.socket(f"{session_id}/video") as video:
        found = server.service.sessions.find(session_id)
        assert found is not None
        counts = found.frames
        number = 0
        for frames, scene in scenes:
            for _ in range(frames):
                picture = np.ascontiguousarray(scene(number / 10))
                stamp = START_US + number * 100_000
                jpeg = simplejpeg.encode_jpeg(picture, 90, "RGB", "420")
                video.send(stamp.to_bytes(8, "big") + jpeg)
                number += 1
                # As fast as the machine is: it skips pictures while it is busy, but replaces none.
                until(lambda: counts.analysed + counts.skipped == number)  # noqa: B023


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with silent_page(browser) as page:
        yield page


def open_sitting(page: Page, server: Live) -> None:
    page.goto(f"{server.address}/review")
    page.locator("#sittings").get_by_role("link", name="exam-7-maria").click()
    expect(page.locator("body")).to_have_attribute("data-ready", "true")


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]


def test_the_wall_shows_what_runs_and_what_is_kept(page: Page, server: Live) -> None:
    page.goto(f"{server.address}/review")
    live = page.locator("#live").get_by_role("listitem")
    expect(live).to_have_count(1)
    expect(live).to_contain_text("exam-8")
    expect(live).to_contain_text("no video")
    kept = page.locator("#sittings tr").filter(has_text="exam-7-maria")
    expect(kept).to_contain_text("ended")
    expect(page.locator("#connection")).to_have_text("Connected")
    page.get_by_label("State").select_option("ended")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#sittings tr")).to_have_count(1)
    page.get_by_label("Part of the session's name").fill("nobody-of-this-name")
    page.get_by_role("button", name="Show", exact=True).click()
    expect(page.locator("#sittings-empty")).to_be_visible()


def test_a_session_shows_its_incidents_over_what_was_measured(page: Page, server: Live) -> None:
    open_sitting(page, server)
    incidents = page.locator("#incidents > li")
    expect(incidents.filter(has_text="No Face Detected")).to_have_count(1)
    expect(incidents.filter(has_text="Multiple Persons Detected")).to_have_count(1)
    expect(incidents.first.locator(".reason")).not_to_be_empty()
    drawn = page.locator("#timeline .trace")
    assert drawn.count() >= 5, "incidents, gaze, head, faces are drawn"
    expect(page.locator("#timeline")).to_contain_text("Gaze (degrees)")
    expect(page.locator("#signals-note")).to_be_hidden()


def test_a_reviewer_decides_with_a_reason_by_keyboard_alone(page: Page, server: Live) -> None:
    open_sitting(page, server)
    item = page.locator("#incidents > li").filter(has_text="No Face Detected")
    item.get_by_label("Reason").focus()
    page.keyboard.type("went to the door, announced before")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(item.locator(".verdict")).to_have_text("Dismissed")
    expect(item).to_contain_text("went to the door, announced before")
    page.get_by_label("Awaiting a decision").check()
    expect(item).to_be_hidden()
    page.reload()
    page.get_by_label("Alerts only").uncheck()
    expect(item.locator(".verdict")).to_have_text("Dismissed")


def test_judging_again_under_another_policy_shows_the_difference(page: Page, server: Live) -> None:
    open_sitting(page, server)
    page.get_by_label("Policy", exact=True).select_option("lenient")
    page.get_by_role("button", name="Judge again").click()
    expect(page.locator("#again-result")).to_contain_text(
        re.compile(r"Under lenient: \d+ incident")
    )


@pytest.mark.parametrize(
    ("button", "begins"),
    [("Report to print (HTML)", b"<!doctype html>"), ("Report (PDF)", b"%PDF"),
     ("Everything (JSON)", b"{"), ("Incidents (CSV)", b"")],
)  # fmt: skip
def test_what_can_be_downloaded_holds_the_incidents(
    page: Page, server: Live, tmp_path: Path, button: str, begins: bytes
) -> None:
    open_sitting(page, server)
    with page.expect_download() as download:
        page.get_by_role("button", name=button).click()
    file = tmp_path / "file"
    download.value.save_as(file)
    data = file.read_bytes()
    assert data.startswith(begins)
    if begins != b"%PDF":
        assert b"No Face Detected" in data


def test_the_pages_can_be_used_without_eyes_and_on_a_small_screen(page: Page, server: Live) -> None:
    page.goto(f"{server.address}/review")
    expect(page.locator("#sittings tr").first).to_be_visible()
    assert violations(page) == []
    open_sitting(page, server)
    assert violations(page) == []
    page.set_viewport_size({"width": 380, "height": 800})
    wide = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    wait_until(page, f"{wide} === 0")
    # The chart stays inside its place, as high as it was drawn, when the window changes once more.
    high = "[timeline.clientHeight, timeline.scrollHeight]"
    before = page.evaluate(high)
    page.set_viewport_size({"width": 800, "height": 380})
    wait_until(page, "innerWidth === 800")
    page.wait_for_timeout(500)
    assert page.evaluate(high) == before
    assert before[0] == before[1] > 400


def test_a_sitting_that_is_not_there_is_said_to_be_not_there(
    browser: Browser, server: Live
) -> None:
    page = patient(browser.new_context()).new_page()
    page.goto(f"{server.address}/sitting?id=01AAAAAAAAAAAAAAAAAAAAAAAA")
    expect(page.locator("#notices")).to_contain_text("cannot be shown")
    page.close()


def test_the_report_needs_no_script_and_holds_the_timeline(server: Live, browser: Browser) -> None:
    with server.http as http:
        kept = http.get("/api/records/sittings", params={"session_id": "exam-7-maria"}).json()
    page = patient(browser.new_context(java_script_enabled=False)).new_page()
    page.goto(f"{server.address}/api/records/sittings/{kept['sittings'][0]['id']}/report.html")
    expect(page.get_by_role("heading", name="Report on session exam-7-maria")).to_be_visible()
    expect(page.locator("svg")).to_be_visible()
    page.close()
