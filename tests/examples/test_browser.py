"""The page on its own origin, in a real browser with a fake camera, against a real server."""

from __future__ import annotations

import functools
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
from playwright.sync_api import Page, expect, sync_playwright
from skimage import data
from tests.server.browser import CHROMIUM, PATIENCE_MS, in_browser, patient
from tests.server.live import Live, running

from proctoring.vision.networks import VisionModels

BROWSER = Path(__file__).parents[2] / "examples" / "browser"
HOST = "exams.example.org"
"""A name for this machine that is none of its own: its pages need to be allowed."""

pytestmark = in_browser


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """The address under which the page is served."""
    handler = functools.partial(_Handler, directory=BROWSER)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://{HOST}:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def page(origin: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Page]:
    """The page in a browser whose camera shows an empty chair."""
    camera = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    picture = np.ascontiguousarray(getattr(data, "coffee")()[:, :, :3], np.uint8)  # noqa: B009
    camera.write_bytes(simplejpeg.encode_jpeg(picture, 90, "RGB", "420") * 30)
    flags = [
        "--no-sandbox",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
        f"--host-resolver-rules=MAP {HOST} 127.0.0.1",
        # Browsers give cameras to secure origins alone.
        f"--unsafely-treat-insecure-origin-as-secure={origin}",
    ]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=flags, timeout=PATIENCE_MS
        )
        page = patient(browser.new_context(permissions=["camera"])).new_page()
        page.goto(f"{origin}/index.html")
        yield page
        browser.close()


def start(page: Page, live: Live, token: str = "") -> None:
    page.get_by_label("Proctoring server").fill(live.address.replace("http", "ws", 1))
    page.get_by_label("Session").fill("exam-7")
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Start").click()


def test_a_page_of_another_origin_is_refused_until_it_is_allowed(
    page: Page, origin: str, vision_models: VisionModels
) -> None:
    status = page.get_by_role("status")
    with running(vision_models) as live:
        start(page, live)
        expect(status).to_contain_text("does its PROCTORING_ALLOWED_ORIGINS name")
        expect(status).to_contain_text(origin)
        with live.http as http:
            assert http.get("/api/sessions/exam-7").status_code == 404

    with running(vision_models, allowed_origins=(origin,)) as live:
        start(page, live)
        expect(status).to_have_text("Connected.")
        expect(page.locator("#alerts li")).to_have_text(["No Face Detected"])
        with live.http as http:
            assert http.delete("/api/sessions/exam-7").is_success
        expect(status).to_contain_text("The server closed the connection")
        expect(page.get_by_role("button", name="Start")).to_be_visible()
