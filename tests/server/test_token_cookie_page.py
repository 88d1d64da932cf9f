"""What a browser keeps of a token: pages survive a reload, Back and links, and no script sees it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from pydantic import SecretStr
from tests.server.browser import in_browser, launched, patient
from tests.server.live import Live, running, until
from tests.server.test_events_socket import publish
from tests.session.conftest import BLIND

from proctoring.server.grant import Scope
from proctoring.server.tokens import make_token
from proctoring.settings import Settings

pytestmark = in_browser

SECRET = SecretStr("correct horse battery staple, twice over")


@pytest.fixture(scope="module")
def guarded() -> Iterator[Live]:
    with running(BLIND, token_secret=SECRET) as live:
        yield live


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launched() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page of a person with cookies of their own."""
    context = patient(browser.new_context())
    yield context.new_page()
    context.close()


def token(*scopes: Scope) -> str:
    return make_token(Settings(token_secret=SECRET), scopes=scopes, sessions=["*"], minutes=5)


def begin(guarded: Live, session_id: str) -> None:
    bearer = {"authorization": f"Bearer {token(Scope.ADMIN)}"}
    with guarded.http as http:
        created = http.post("/api/sessions", json={"session_id": session_id}, headers=bearer)
        created.raise_for_status()
    publish(guarded, session_id)
    until(lambda: guarded.service.outbox.last_seq(session_id) >= 1)


def test_a_reviewer_reloads_goes_on_and_back_decides_and_signs_out(
    guarded: Live, page: Page
) -> None:
    begin(guarded, "cookie-exam")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    bearer = token(Scope.REVIEW)
    page.goto(f"{guarded.address}/review#token={bearer}")
    card = page.locator('#live > li[data-session="cookie-exam"]')
    expect(card).to_be_visible()
    page.reload()
    expect(card).to_be_visible()
    card.get_by_role("link").click()
    expect(page.locator("body")).to_have_attribute("data-ready", "true")
    page.reload()
    expect(page.locator("body")).to_have_attribute("data-ready", "true")
    item = page.locator("#incidents > li").first
    item.get_by_role("button", name="Dismiss").click()
    expect(item.locator(".verdict")).to_have_text("Dismissed")
    with page.expect_download():
        page.get_by_role("button", name="Report (PDF)").click()
    page.go_back()
    expect(card).to_be_visible()
    assert bearer not in " ".join(asked) + page.url
    kept: Any = page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    assert bearer not in kept
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_label("Access token")).to_be_visible()
    expect(page.locator("#live > li")).to_have_count(0)
    page.get_by_label("Access token").fill(bearer)
    page.get_by_role("button", name="Use it").click()
    expect(card).to_be_visible()


def test_review_pages_say_once_that_a_token_is_needed_or_was_refused(
    guarded: Live, page: Page
) -> None:
    form, notices = page.locator("#token-form"), page.locator("#notices .notice")
    for address in ("review", "sitting?id=00000000000000000000000000000000"):
        page.goto(f"{guarded.address}/{address}")
        expect(form).to_contain_text("Enter a reviewer's token to see sessions.")
        expect(notices).to_have_count(0)
    page.goto(f"{guarded.address}/review")
    for refused in ("nonsense", token(Scope.MEDIA)):
        page.get_by_label("Access token").fill(refused)
        page.get_by_role("button", name="Use it").click()
        expect(form).to_contain_text("This token was refused: ")
        expect(form).not_to_contain_text("Enter a reviewer's token")
        expect(notices).to_have_count(0)
    page.get_by_label("Access token").fill(token(Scope.REVIEW))
    page.get_by_role("button", name="Use it").click()
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(form).to_be_hidden()
    expect(notices).to_have_count(0)


def test_a_candidates_page_needs_its_link_once(guarded: Live, page: Page) -> None:
    page.goto(f"{guarded.address}/?session=mine#token={token(Scope.MEDIA, Scope.EVENTS)}")
    expect(page.get_by_role("button", name="Start")).to_be_visible()
    with page.expect_response("**/api/health") as told:
        page.reload()
    assert "capabilities" in told.value.json()
    expect(page.get_by_text("asks for an access token")).to_have_count(0)
    # A candidate's token opens no review page.
    page.goto(f"{guarded.address}/review")
    expect(page.get_by_label("Access token")).to_be_visible()


def test_a_link_works_in_a_tab_that_shows_the_page_already(guarded: Live, page: Page) -> None:
    page.goto(f"{guarded.address}/?session=mine")
    expect(page.get_by_text("asks for an access token")).to_be_visible()
    page.goto(f"{guarded.address}/?session=mine#token={token(Scope.MEDIA, Scope.EVENTS)}")
    page.wait_for_url(f"{guarded.address}/?session=mine")
    expect(page.locator("#version")).to_contain_text("Proctoring")  # told to bearers alone
    expect(page.get_by_text("asks for an access token")).to_have_count(0)


def test_a_token_for_another_session_does_not_go_on_with_the_tabs_last_one(
    guarded: Live, page: Page
) -> None:
    page.goto(f"{guarded.address}/#token={token(Scope.MEDIA, Scope.EVENTS)}")
    kept = {"session": {"session_id": "exam-6"}, "source": "camera", "running": False}
    page.evaluate(
        "kept => sessionStorage.setItem('proctoring.session', JSON.stringify(kept))", kept
    )
    scopes = (Scope.MEDIA, Scope.EVENTS)
    other = make_token(Settings(token_secret=SECRET), scopes=scopes, sessions=["exam-7"], minutes=5)
    page.goto(f"{guarded.address}/#token={other}")
    expect(page.locator("#setup-summary, #session-id").last).to_have_value("exam-7")
    expect(page.locator("#connection")).to_have_text("Not connected")
    assert page.evaluate("sessionStorage.length") == 0
