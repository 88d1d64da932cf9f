"""Pages of a server that asks for tokens, in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright
from pydantic import SecretStr
from tests.server.browser import CHROMIUM, PATIENCE_MS, in_browser, patient
from tests.server.live import Live, running, until

from proctoring.server.grant import Scope
from proctoring.server.tokens import make_token
from proctoring.settings import Settings
from proctoring.vision.networks import VisionModels

SECRET = SecretStr("correct horse battery staple, twice over")

pytestmark = in_browser

FLAGS = (
    "--no-sandbox",
    "--use-fake-device-for-media-stream",
    "--use-fake-ui-for-media-stream",
    "--disable-background-networking",
)


@pytest.fixture(scope="module")
def guarded(vision_models: VisionModels) -> Iterator[Live]:
    with running(vision_models, token_secret=SECRET) as live:
        yield live


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=FLAGS, timeout=PATIENCE_MS
        )
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = patient(browser.new_context())
    yield context.new_page()
    context.close()


def token(session: str, *scopes: Scope) -> str:
    return make_token(Settings(token_secret=SECRET), scopes=scopes, sessions=[session], minutes=5)


def test_a_candidates_link_carries_the_token_and_nothing_keeps_it(
    guarded: Live, page: Page
) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("websocket", lambda socket: asked.append(socket.url))
    bearer = token("linked", Scope.MEDIA, Scope.EVENTS)
    page.goto(f"{guarded.address}/?session=linked#token={bearer}")
    assert bearer not in page.evaluate("location.href")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#connection")).to_have_text("Connected")
    until(lambda: (it := guarded.service.sessions.find("linked")) is not None and it.has_video)
    session = guarded.service.sessions.find("linked")
    assert session is not None
    until(lambda: session.frames.received > 0)
    assert bearer not in " ".join(asked)
    kept: Any = page.evaluate(
        "JSON.stringify([{...localStorage}, {...sessionStorage}, document.cookie])"
    )
    assert bearer not in kept


def test_what_a_candidates_token_does_not_permit_is_not_offered(guarded: Live, page: Page) -> None:
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    permitted = token("exam-9", Scope.MEDIA, Scope.EVENTS)
    page.goto(f"{guarded.address}/#token={permitted}")
    expect(page.get_by_label("Session id")).to_have_value("exam-9")
    expect(page.get_by_label("Session id")).not_to_be_editable()
    for label in ("Policy", "Video file", "Transcribe speech", "Mesh"):
        shown = expect(page.get_by_label(label, exact=False).first)
        shown.to_be_visible() if label == "Mesh" else shown.to_be_hidden()
    for name in ("End session", "Review", "API"):
        expect(page.get_by_text(name, exact=True)).to_be_hidden()
    expect(page.locator("#speed-server")).to_be_hidden()
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(page.get_by_role("button", name="Calibrate")).to_be_visible()
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#stage-hint")).to_contain_text("The session stays open")
    assert complaints == []


def test_a_reload_keeps_a_candidates_session_and_token(guarded: Live, page: Page) -> None:
    permitted = token("exam-10", Scope.MEDIA, Scope.EVENTS)
    page.goto(f"{guarded.address}/#token={permitted}")
    expect(page.get_by_label("Session id")).to_have_value("exam-10")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#connection")).to_have_text("Connected")
    until(lambda: guarded.service.sessions.find("exam-10") is not None)
    session = guarded.service.sessions.find("exam-10")
    assert session is not None
    until(lambda: session.frames.received > 0)
    page.reload()
    expect(page.locator("#connection")).to_have_text("Connected")
    received = session.frames.received
    until(lambda: session.frames.received > received)
    assert guarded.service.sessions.find("exam-10") is session
    expect(page.get_by_text("asks for an access token")).to_be_hidden()
    expect(page.get_by_role("button", name="End session")).to_be_hidden()


def test_a_page_without_a_token_asks_for_one_and_goes_on_with_it(guarded: Live, page: Page) -> None:
    page.goto(f"{guarded.address}/?session=typed")
    expect(page.get_by_text("asks for an access token")).to_be_visible()
    field = page.get_by_label("Access token")
    field.fill("nonsense")
    field.press("Tab")
    expect(page.get_by_text("does not take this page's access token")).to_be_visible()
    field.fill(token("typed", Scope.MEDIA, Scope.EVENTS, Scope.ADMIN))
    field.press("Tab")
    expect(page.get_by_text("does not take this page's access token")).to_be_hidden()
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#connection")).to_have_text("Connected")


def test_start_without_a_token_says_that_one_is_needed_and_nothing_else(
    guarded: Live, page: Page
) -> None:
    page.goto(f"{guarded.address}/?session=unlinked")
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#connection")).to_have_text("Not accepted")
    expect(page.locator("#guide-state")).to_have_text("Not accepted")
    expect(page.locator("#notices .notice")).to_have_count(1)
    expect(page.locator("#notices")).to_contain_text("asks for an access token")
    field = page.get_by_label("Access token")
    field.fill(token("unlinked", Scope.MEDIA, Scope.EVENTS))
    field.press("Tab")
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(page.locator("#notices .notice")).to_have_count(0)


@pytest.mark.parametrize("scopes", [(), (Scope.ADMIN,)])
def test_a_session_that_cannot_be_recorded_is_refused_with_the_servers_reason(
    guarded: Live, page: Page, scopes: tuple[Scope, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    outbox = guarded.service.outbox
    begin, unrecorded = outbox.begin, Future[None]()

    def begin_unrecorded(*given: Any, **named: Any) -> Future[None]:
        begin(*given, **named)
        return unrecorded

    monkeypatch.setattr(outbox, "begin", begin_unrecorded)
    session = f"unrecorded-{len(scopes)}"
    bearer = token(session, Scope.MEDIA, Scope.EVENTS, *scopes)
    page.goto(f"{guarded.address}/?session={session}#token={bearer}")
    page.get_by_role("button", name="Start").click()
    notices = page.locator("#notices")
    expect(notices).to_contain_text("the session cannot be recorded now")
    expect(notices).not_to_contain_text("does not answer")
    expect(page.locator("#connection")).to_have_text("Not accepted")
    unrecorded.set_result(None)
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(notices).not_to_contain_text("cannot be recorded")


def test_the_interface_is_shown_without_anything_from_elsewhere(guarded: Live, page: Page) -> None:
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.goto(f"{guarded.address}/docs")
    expect(page.get_by_text("/api/sessions/{session_id}").first).to_be_visible(timeout=60_000)
    assert [url for url in asked if not url.startswith((guarded.address, "data:"))] == []
    assert complaints == []
