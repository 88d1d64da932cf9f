"""The wall and the page of a sitting while sessions run, in a real browser."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect
from pydantic import SecretStr
from tests.server.browser import in_browser, launched, patient, silent_page
from tests.server.live import Live, running, until
from tests.server.test_events_socket import publish
from tests.session.conftest import BLIND

pytestmark = in_browser

PHONE = {
    "kind": "object.phone", "label": "Mobile Phone Detected", "severity": "violation",
    "started_at": 31.0, "reason": "a phone for 2.0 s",
}  # fmt: skip
GLANCE = {**PHONE, "kind": "gaze.left", "label": "Looking Left", "severity": "warning"}
JPEG = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00\x01\x01\x00\x00\x01\x00\x01\x00\x00\xff\xd9"  # no picture


@pytest.fixture(scope="module")
def server() -> Iterator[Live]:
    with running(BLIND) as live:
        yield live


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    with silent_page(browser) as page:
        yield page


@pytest.fixture
def loud_page(browser: Browser) -> Iterator[Page]:
    """A page that may complain: about answers that are errors."""
    context = patient(browser.new_context())
    yield context.new_page()
    context.close()


def begun(server: Live, session_id: str, events: int = 0) -> str:
    """An open session with so many alerts; the id of its sitting."""
    with server.http as http:
        http.post("/api/sessions", json={"session_id": session_id}).raise_for_status()
        for _ in range(events):
            publish(server, session_id)
        until(lambda: server.service.outbox.last_seq(session_id) >= events)
        listed = http.get("/api/records/sittings", params={"session_id": session_id}).json()
    sitting: str = listed["sittings"][0]["id"]
    return sitting


def end(server: Live, session_id: str) -> None:
    with server.http as http:
        http.delete(f"/api/sessions/{session_id}").raise_for_status()


def changed(page: Page, path: str, change: Callable[[Any], None]) -> None:
    """Let the page see what the server answers under a path, changed."""

    def answer(route: Route) -> None:
        told = route.fetch().json()
        change(told)
        route.fulfill(json=told)

    page.route(path, answer)


def show_sitting(page: Page, server: Live, sitting: str) -> None:
    page.goto(f"{server.address}/sitting?id={sitting}")
    expect(page.locator("body")).to_have_attribute("data-ready", "true")
    page.get_by_label("Alerts only").uncheck()


# --- the wall ---


def test_a_card_has_the_state_of_the_worst_open_incident_and_comes_first(
    page: Page, server: Live
) -> None:
    begun(server, "wall-calm")
    begun(server, "wall-phone")
    told: dict[str, list[Any]] = {"wall-phone": [PHONE, GLANCE]}

    def change(answer: Any) -> None:
        for session in answer["sessions"]:
            session["open_incidents"] = told.get(session["session_id"], [])
            session["video"] = session["session_id"] == "wall-calm"

    changed(page, "**/api/sessions", change)
    page.goto(f"{server.address}/review")
    cards = page.locator("#live > li")
    expect(cards.first).to_have_attribute("data-session", "wall-phone")
    # Neither a lesser incident nor missing media hide it, and colour is not alone in saying so.
    expect(cards.first).to_have_attribute("data-state", "violation")
    expect(cards.first).to_contain_text("Violation")
    expect(cards.first).to_contain_text("Mobile Phone Detected since 0:31")
    assert "object.phone" not in cards.first.inner_text()
    expect(page).to_have_title("(1) Review - Proctoring")
    calm = page.locator('#live > li[data-session="wall-calm"]')
    expect(calm).to_have_attribute("data-state", "well")
    calm.get_by_role("link").focus()
    told["wall-phone"] = []
    expect(page.locator('[data-session="wall-phone"]')).to_have_attribute("data-state", "silent")
    expect(page).to_have_title("Review - Proctoring")
    expect(calm.get_by_role("link")).to_be_focused()
    for session in ("wall-calm", "wall-phone"):
        end(server, session)


def test_what_cannot_be_read_is_not_shown_as_nothing(loud_page: Page, server: Live) -> None:
    begun(server, "wall-unread")
    loud_page.route("**/api/records/sittings?*", lambda route: route.fulfill(status=500))
    loud_page.goto(f"{server.address}/review")
    card = loud_page.locator('[data-session="wall-unread"]')
    expect(card).to_contain_text("record cannot be read")
    expect(loud_page.locator("#notices")).to_contain_text("kept sessions cannot be read")
    expect(loud_page.locator("#sittings-empty")).to_be_hidden()
    loud_page.route("**/api/sessions", lambda route: route.fulfill(status=500))
    expect(loud_page.locator("#live-note")).to_contain_text("what happens now is not known")
    expect(loud_page.locator("#connection")).to_have_text("Not connected")
    end(server, "wall-unread")


def test_a_wall_without_a_token_does_not_say_that_nothing_is_open(loud_page: Page) -> None:
    with running(BLIND, token_secret=SecretStr("correct horse battery staple, twice")) as guarded:
        loud_page.goto(f"{guarded.address}/review")
        expect(loud_page.get_by_label("Access token")).to_be_visible()
        expect(loud_page.locator("#live-note")).to_contain_text("not known")
        expect(loud_page.get_by_text("No session is open")).to_have_count(0)
        expect(loud_page.locator("#sittings-empty")).to_be_hidden()


# --- finding ---


def test_a_part_of_a_name_finds_a_session_and_the_list_can_be_sorted(
    page: Page, server: Live
) -> None:
    begun(server, "find-maria", events=2)
    begun(server, "find-anna", events=1)
    page.goto(f"{server.address}/review")
    rows = page.locator("#sittings tr")
    page.get_by_label("Part of the session's name").fill("FIND-Marí")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("find-maria")
    page.get_by_label("Part of the session's name").fill("find")
    expect(rows.first).to_contain_text("find-anna")
    expect(rows).to_have_count(2)
    page.get_by_role("button", name="Alerts").click()
    expect(page.locator('th[aria-sort="descending"]')).to_have_text("Alerts")
    expect(rows.first).to_contain_text("find-maria")
    # Back from a session, the list is as it was left.
    rows.first.get_by_role("link").click()
    expect(page.locator("body")).to_have_attribute("data-ready", "true")
    page.go_back()
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("find-maria")
    expect(page.get_by_label("Part of the session's name")).to_have_value("find")
    page.get_by_label("Part of the session's name").fill("nobody")
    expect(page.locator("#sittings-empty")).to_have_text(
        'No kept session with "nobody" in its name.'
    )
    for session in ("find-maria", "find-anna"):
        end(server, session)


# --- deciding ---


def test_enter_in_the_reason_field_decides_nothing(page: Page, server: Live) -> None:
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    show_sitting(page, server, begun(server, "enter", events=1))
    item = page.locator("#incidents > li").first
    item.get_by_label("Reason").fill("looked at the clock")
    page.keyboard.press("Enter")
    expect(item.get_by_label("Reason")).to_have_value("looked at the clock\n")
    assert sent == []
    expect(item.locator(".verdict")).to_have_text("Not decided yet")
    assert item.get_by_role("button").first.inner_text() == "Dismiss"


def test_only_dismissing_needs_no_reason(page: Page, server: Live) -> None:
    show_sitting(page, server, begun(server, "reasons", events=1))
    item = page.locator("#incidents > li").first
    item.get_by_role("button", name="Confirm").click()
    expect(item.get_by_role("alert")).to_contain_text("reason")
    expect(item.get_by_label("Reason")).to_be_focused()
    expect(item.locator(".verdict")).to_have_text("Not decided yet")
    item.get_by_role("button", name="Dismiss").click()
    expect(item.locator(".verdict")).to_have_text("Dismissed")


def test_a_decision_leaves_everything_else_as_it_was(page: Page, server: Live) -> None:
    sitting = begun(server, "drafts", events=12)
    fetched: list[str] = []

    def still(route: Route) -> None:
        fetched.append(route.request.url)
        route.fulfill(body=JPEG, content_type="image/jpeg")

    def with_stills(answer: Any) -> None:
        for number, incident in enumerate(answer["incidents"]):
            digest = f"{number:064x}"
            url = f"api/records/sittings/{sitting}/evidence/{digest}"
            incident["evidence"] = [
                {"digest": digest, "media_type": "image/jpeg", "url": url, "start": 1.0}
            ]

    changed(page, f"**/api/records/sittings/{sitting}", with_stills)
    page.route("**/evidence/*", still)
    show_sitting(page, server, sitting)
    items = page.locator("#incidents > li")
    items.nth(3).get_by_label("Reason").fill("a draft of mine")
    eighth = items.nth(8)
    eighth.get_by_role("button", name="Dismiss").scroll_into_view_if_needed()
    expect(eighth.locator("img")).to_have_count(1)
    page.wait_for_timeout(300)
    before = page.evaluate("scrollY")
    dismiss = eighth.get_by_role("button", name="Dismiss")
    dismiss.focus()
    page.keyboard.press("Enter")
    expect(eighth.locator(".verdict")).to_have_text("Dismissed")
    expect(dismiss).to_be_focused()
    expect(items.nth(3).get_by_label("Reason")).to_have_value("a draft of mine")
    assert abs(page.evaluate("scrollY") - before) < 60, "but for the line that was added"
    assert len(fetched) == len(set(fetched)), "no evidence is fetched again"


def test_a_decided_incident_stays_in_view_until_the_choice_changes(
    page: Page, server: Live
) -> None:
    show_sitting(page, server, begun(server, "stays", events=2))
    page.get_by_label("Awaiting a decision").check()
    items = page.locator("#incidents > li:visible")
    items.first.get_by_role("button", name="Dismiss").click()
    expect(items.first.locator(".verdict")).to_have_text("Dismissed")
    expect(items).to_have_count(2)
    page.get_by_label("Awaiting a decision").uncheck()
    page.get_by_label("Awaiting a decision").check()
    expect(items).to_have_count(1)


def test_an_open_sessions_page_follows_it(page: Page, server: Live) -> None:
    sitting = begun(server, "follows", events=1)
    show_sitting(page, server, sitting)
    expect(page.locator("#live")).to_be_visible()
    items = page.locator("#incidents > li")
    expect(items).to_have_count(1)
    expect(items.first.get_by_role("heading")).to_contain_text("at 0:00, open")
    items.first.get_by_label("Reason").fill("a draft of mine")
    publish(server, "follows")
    expect(items).to_have_count(2)
    with server.http as http:
        detail = http.get(f"/api/records/sittings/{sitting}").json()
        newest = detail["incidents"][-1]["id"]
        answer = http.post(
            f"/api/records/sittings/{sitting}/incidents/{newest}/decision",
            json={"decision": "dismiss"},
        )
        assert answer.status_code == 201
    expect(items.nth(1).locator(".verdict")).to_have_text("Dismissed")
    end(server, "follows")
    expect(page.locator("#live")).to_be_hidden(timeout=60_000)
    expect(items.first.get_by_label("Reason")).to_have_value("a draft of mine")
