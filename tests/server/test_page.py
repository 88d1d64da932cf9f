"""The page in a real browser, with a fake camera that shows a real face, on a real server process."""

from __future__ import annotations

import functools
import itertools
import json
import os
import re
import secrets
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import av
import cv2
import httpx
import numpy as np
import pytest
import simplejpeg
import skimage.data
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Route,
    expect,
    sync_playwright,
)
from tests.ports import free_port
from tests.server.browser import CHROMIUM, FLAGS, PATIENCE_MS, fresh, in_browser, patient
from websockets.sync.server import ServerConnection, serve

from proctoring.server.app import PAGE

pytestmark = in_browser

WIDTH, HEIGHT = 640, 480
FACE_SECONDS, NOBODY_SECONDS = 6.0, 6.0
"""The fake camera shows a face, then nobody, and starts again."""

NOTHING = "\u2013"
"""A dash: what the page shows where there is nothing to show."""

ABOVE_ZERO = re.compile(r"^(?!0\.0$)\d+\.\d$")


# --- moving pictures of a known truth, made of a public-domain photograph ---


@functools.cache
def photograph(name: str) -> np.ndarray:
    return np.asarray(getattr(skimage.data, name)(), np.uint8)


def one_face(seconds: float) -> np.ndarray:
    """The face, large and in the middle, nodding and swaying a little."""
    picture = photograph("astronaut")
    turn = cv2.getRotationMatrix2D((222, 120), 3.0 * np.sin(seconds * 1.3), 1.7)
    turn[0, 2] += WIDTH / 2 - 222 + 12 * np.sin(seconds)
    turn[1, 2] += HEIGHT * 0.4 - 120
    return cv2.warpAffine(picture, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE)


def two_faces(seconds: float) -> np.ndarray:
    half = one_face(seconds)[:, WIDTH // 4 : WIDTH - WIDTH // 4]
    return np.hstack([half, half])


def nobody(seconds: float) -> np.ndarray:
    return cv2.resize(photograph("coffee"), (WIDTH, HEIGHT))


def write_camera(path: Path, nobody_seconds: float = NOBODY_SECONDS) -> None:
    """Thirty pictures a second, as Chromium's fake camera plays them; each is shown three times."""
    with path.open("wb") as file:
        for tick in range(int((FACE_SECONDS + nobody_seconds) * 10)):
            seconds = tick / 10
            picture = one_face(seconds) if seconds < FACE_SECONDS else nobody(seconds)
            encoded = simplejpeg.encode_jpeg(np.ascontiguousarray(picture), 90, "RGB", "420")
            file.write(encoded * 3)


def write_recording(path: Path, scenes: list[tuple[float, Callable[[float], np.ndarray]]]) -> None:
    """A WebM file: each scene with its length in seconds."""
    with av.open(path, "w") as container:
        realtime = {"deadline": "realtime", "cpu-used": "16"}
        stream = container.add_stream("libvpx", rate=10, options=realtime)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.bit_rate = 3_000_000
        for length, scene in scenes:
            for tick in range(int(length * 10)):
                picture = np.ascontiguousarray(scene(tick / 10))
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        container.mux(stream.encode(None))


# --- a server process of our own ---


@dataclass
class Server:
    """``proctoring serve`` on a port of its own; can be killed and started again."""

    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        if not self.port:
            self.port = free_port()
        command = shutil.which("proctoring")
        assert command, "the command `proctoring` is not installed"
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [command, "serve", "--port", str(self.port)],
                env=os.environ | self.settings,
                stdout=log,
                stderr=log,
            )
        deadline = time.monotonic() + 240
        while True:
            try:
                health = httpx.get(f"{self.url}/api/health", timeout=60).json()
                if health["status"] in ("ok", "degraded"):
                    return
            except httpx.TransportError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"no server: {(self.folder / 'server.log').read_text()}")
            time.sleep(0.1)

    def kill(self) -> None:
        assert self.process
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(60)

    def stop(self) -> None:
        assert self.process
        self.process.terminate()
        try:
            self.process.wait(60)
        except subprocess.TimeoutExpired:
            self.kill()

    def ask(self, method: str, path: str, **given: Any) -> httpx.Response:
        """One request of a client that waits as long as a busy machine needs."""
        return httpx.request(method, f"{self.url}/api/{path}", timeout=60, **given)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Lets pages in under any host name, so that one may be opened that is not secure."""
    server = Server(tmp_path_factory.mktemp("server"), {"PROCTORING_INSECURE": "true"})
    server.start()
    yield server
    server.stop()


# --- a browser ---


@pytest.fixture(scope="module")
def launch() -> Iterator[Callable[..., Browser]]:
    """Starts browsers; all are closed at the end."""
    with sync_playwright() as playwright:
        yield lambda *flags: playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*FLAGS, *flags], timeout=PATIENCE_MS
        )


@pytest.fixture(scope="module")
def browser(
    launch: Callable[..., Browser], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Browser]:
    """A browser with a camera, which asks before it gives it."""
    camera = tmp_path_factory.mktemp("camera") / "camera.mjpeg"
    write_camera(camera)
    browser = launch(
        "--use-fake-device-for-media-stream", f"--use-file-for-fake-video-capture={camera}"
    )
    yield browser
    browser.close()


@pytest.fixture
def visit(browser: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    """Opens the page in a window of its own; at the end its console must have been silent."""
    with visiting(browser, server) as open_page:
        yield open_page


@contextmanager
def visiting(browser: Browser, server: Server) -> Iterator[Callable[..., Page]]:
    """What the fixture `visit` gives, with any browser."""
    contexts: list[BrowserContext] = []
    complaints: list[str] = []

    def open_page(
        *, camera: bool = True, query: str = "", may_say: str | None = None, **options: Any
    ) -> Page:
        options.setdefault("viewport", {"width": 1280, "height": 900})
        context = patient(browser.new_context(permissions=["camera"] if camera else [], **options))
        contexts.append(context)
        page = context.new_page()

        def hear(message: ConsoleMessage) -> None:
            if message.type in ("error", "warning") and not (may_say and may_say in message.text):
                complaints.append(message.text)

        page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(f"{server.url}/{query}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []


def start(page: Page) -> None:
    # The policies come from the server: once they are there, the page has found it.
    expect(page.get_by_label("Policy")).not_to_be_empty()
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#connection")).to_have_text("Connected")


def end_session(page: Page) -> None:
    page.get_by_role("button", name="End session").click()
    page.get_by_role("button", name="Yes, end it").click()


def choose_recording(page: Page, recording: Path) -> None:
    page.get_by_role("radio", name="Video file").check()
    page.get_by_label("Video file", exact=True).last.set_input_files(recording)


def drawn_share(page: Page, box: tuple[float, float, float, float]) -> float:
    """Share of the overlay's pixels that are drawn on, in a part of it (0 to 1 across and down)."""
    share: float = page.evaluate(
        """([left, top, right, bottom]) => {
            const canvas = document.getElementById("overlay");
            const [w, h] = [canvas.width, canvas.height];
            const copy = new OffscreenCanvas(w, h).getContext("2d", { willReadFrequently: true });
            copy.drawImage(canvas, 0, 0);
            const part = copy.getImageData(
              left * w, top * h, (right - left) * w, (bottom - top) * h).data;
            let drawn = 0;
            for (let i = 3; i < part.length; i += 4) drawn += part[i] > 0;
            return drawn / (part.length / 4);
        }""",
        list(box),
    )
    return share


def eventually(page: Page, holds: Callable[[], bool]) -> None:
    """What is drawn comes and goes with the observations: wait for it, but not for ever."""
    end = time.monotonic() + PATIENCE_MS / 1000
    while not holds():
        assert time.monotonic() < end, "it never held"
        page.wait_for_timeout(200)


def noted(page: Page, expression: str) -> Callable[[], list[Any]]:
    """Every value that a JavaScript expression takes on the page from now on, so far.

    What is shown for a few seconds only may be gone when a busy test looks: the page itself notes it.
    """
    name = f"noted{secrets.token_hex(4)}"
    page.evaluate(
        f"""() => {{
            const noted = (window.{name} = []);
            let last;
            const look = () => {{
                const now = JSON.stringify(({expression}) ?? null);
                if (now !== last) noted.push(JSON.parse((last = now)));
            }};
            const every = {{ subtree: true, childList: true, characterData: true, attributes: true }};
            new MutationObserver(look).observe(document.body, every);
            setInterval(look, 100);
            look();
        }}"""
    )

    def so_far() -> list[Any]:
        values: list[Any] = page.evaluate(f"window.{name}")
        return values

    return so_far


def overflow(page: Page) -> int:
    pixels: int = page.evaluate(
        "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    )
    return pixels


def accessibility_violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    return [f"{one['id']}: {[node['html'] for node in one['nodes']]}" for one in found]


# --- what the page must do ---


def test_a_face_on_the_camera_is_drawn_over_and_its_absence_becomes_an_incident(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    start(page)

    expect(page.locator("#reading-faces")).to_have_text("1")
    expect(page.locator("#reading-head")).not_to_have_text(NOTHING)
    shown = noted(
        page,
        """[...document.querySelectorAll('.incident[data-kind="face.absent"] .duration')]
            .at(-1)?.textContent""",
    )
    # The middle of the picture is the face: mesh, outlines, irises. The lower corners are not.
    middle, corner = (0.4, 0.25, 0.6, 0.6), (0.0, 0.9, 0.1, 1.0)
    eventually(page, lambda: drawn_share(page, middle) > 0.05)
    page.get_by_label("Boxes").uncheck()
    page.get_by_label("Gaze and head").uncheck()
    eventually(page, lambda: drawn_share(page, middle) > 0.03 and drawn_share(page, corner) == 0)
    page.get_by_label("Mesh").uncheck()
    eventually(page, lambda: drawn_share(page, middle) == 0)
    page.get_by_label("Mesh").check()
    eventually(page, lambda: drawn_share(page, middle) > 0.03)

    for rate in ("sent", "analysed"):
        expect(page.locator(f"#speed-{rate}")).to_have_text(ABOVE_ZERO)
    for latency in ("round-trip", "server"):
        expect(page.locator(f"#speed-{latency}")).to_have_text(re.compile(r"^\d+$"))

    # The list has the newest first: the last one stays the same one, however often nobody is there.
    incident = page.locator('.incident[data-kind="face.absent"]').last
    expect(incident).to_be_visible()
    expect(incident).to_contain_text("No Face Detected")
    expect(incident).to_contain_text("Violation")
    expect(incident.locator(".reason")).not_to_be_empty()
    expect(page.locator("#announcer")).to_contain_text("Violation: No Face Detected")
    expect(incident).to_contain_text("ended")
    durations = [float(text.removesuffix(" s")) for text in shown() if text]
    assert len(durations) > 2, "it grew while it went on"
    # A busy machine plays the camera's pictures slower.
    assert NOBODY_SECONDS - 2 < durations[-1] < 10 * NOBODY_SECONDS

    end_session(page)
    expect(page.locator("#notices")).to_contain_text("The session has ended.")
    expect(page.locator("#connection")).to_have_text("Not connected")


def test_the_page_says_with_whom_the_face_was_compared_and_why(
    visit: Callable[..., Page], server: Server
) -> None:
    health = server.ask("GET", "health").json()
    if not any(one["name"] == "identity" and one["available"] for one in health["capabilities"]):
        pytest.skip("the weights of the face embedding cannot be had")
    page = visit()
    start(page)
    expect(page.locator("#reading-compared")).to_have_text(
        re.compile(
            r"^distance 0\.[0-3]\d from the first seconds, \d comparisons?, after \d s without the face$"
        ),
    )


def test_a_recording_is_played_once_and_judged_by_its_own_times(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    recording = tmp_path / "recording.webm"
    write_recording(recording, [(3.0, one_face), (5.0, two_faces)])
    page = visit(camera=False)
    choose_recording(page, recording)
    faces = noted(page, "document.getElementById('reading-faces').textContent")
    start(page)

    incident = page.locator('.incident[data-kind="person.multiple"]')
    expect(incident).to_contain_text("Multiple Persons Detected")
    eventually(page, lambda: "2" in faces())
    offset = incident.locator(".offset").inner_text()
    minutes, seconds = offset.removeprefix("at ").split(":")
    assert minutes == "0"
    # A newcomer is looked for about once a second; a busy machine looks at fewer pictures.
    assert 2.9 <= float(seconds) < 8.0

    expect(page.locator("#notices")).to_contain_text("played to its end")
    expect(incident).to_contain_text("ended")
    expect(page.get_by_role("button", name="Start")).to_be_visible()


def test_a_file_that_is_no_video_is_named(visit: Callable[..., Page], tmp_path: Path) -> None:
    notes = tmp_path / "notes.mp4"
    notes.write_text("not a video")
    page = visit(camera=False)
    choose_recording(page, notes)
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#notices")).to_contain_text("cannot play notes.mp4")
    expect(page.get_by_role("button", name="Start")).to_be_visible()


def test_a_refused_camera_is_explained(visit: Callable[..., Page]) -> None:
    page = visit(camera=False)
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#notices")).to_contain_text("The camera was refused")
    expect(page.get_by_role("button", name="Start")).to_be_visible()


def test_an_absent_camera_is_explained(launch: Callable[..., Browser], server: Server) -> None:
    browser = launch("--use-fake-ui-for-media-stream")
    page = patient(browser.new_context()).new_page()
    page.goto(server.url)
    page.get_by_role("button", name="Start").click()
    expect(page.locator("#notices")).to_contain_text("No camera was found")
    browser.close()


def test_a_page_that_is_not_secure_says_so_at_once(
    launch: Callable[..., Browser], server: Server
) -> None:
    browser = launch("--host-resolver-rules=MAP exam.test 127.0.0.1")
    page = patient(browser.new_context()).new_page()
    page.goto(f"http://exam.test:{server.port}/")
    expect(page.locator("#notices")).to_contain_text("only to secure pages")
    browser.close()


def test_the_page_is_accessible_in_light_and_dark(
    visit: Callable[..., Page], tmp_path: Path
) -> None:
    page = visit(reduced_motion="reduce")

    def violations() -> list[str]:
        found = []
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found += [f"{scheme}: {one}" for one in accessibility_violations(page)]
        return found

    expect(page.locator("#capabilities li").first).to_be_visible()
    assert violations() == []

    nobody_there = tmp_path / "nobody.webm"
    write_recording(nobody_there, [(9.0, nobody)])
    choose_recording(page, nobody_there)
    start(page)
    incident = page.locator('.incident[data-kind="face.absent"]')
    expect(incident).to_be_visible()
    assert violations() == []
    expect(page.locator("#notices")).to_contain_text("played to its end")
    expect(incident).to_contain_text("ended")
    assert violations() == []


@pytest.mark.parametrize("width", [320, 390])
def test_a_phone_shows_everything_without_scrolling_sideways(
    visit: Callable[..., Page], width: int
) -> None:
    page = visit(
        viewport={"width": width, "height": 740},
        device_scale_factor=2,
        query=f"?session={fresh('x' * 190)}",
    )
    assert overflow(page) == 0
    start(page)
    expect(page.locator("#reading-faces")).not_to_have_text(NOTHING)
    assert overflow(page) == 0
    expect(page.get_by_role("button", name="Stop")).to_be_in_viewport()
    end_session(page)
    expect(page.locator("#notices")).to_contain_text("has ended")
    assert overflow(page) == 0


def test_the_keyboard_alone_runs_a_session(visit: Callable[..., Page]) -> None:
    page = visit()
    expect(page.get_by_label("Policy")).not_to_be_empty()

    reached: list[str] = []

    def tab_to(element: str) -> None:
        for _ in range(30):
            page.keyboard.press("Tab")
            focused: str = page.evaluate(
                "document.activeElement.id || document.activeElement.tagName"
            )
            reached.append(focused)
            if focused == "BODY":  # the end of the page: from there it begins again
                continue
            outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
            assert outline != "none", f"{focused} shows no focus"
            if focused == element:
                return
        pytest.fail(f"the keyboard does not reach {element}: {reached}")

    tab_to("policy")
    page.keyboard.press("ArrowDown")
    policy = page.get_by_label("Policy").input_value()
    tab_to("toggle")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Stop")).to_be_focused()
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(page.locator("#setup-summary")).to_contain_text(policy)
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Continue")).to_be_focused()
    tab_to("end")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Keep it open")).to_be_focused()
    tab_to("confirm-end-yes")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Start")).to_be_focused()
    tab_to("show-mesh")
    page.keyboard.press("Space")
    expect(page.get_by_label("Mesh")).not_to_be_checked()


def test_the_newer_page_takes_over_and_the_older_is_told(visit: Callable[..., Page]) -> None:
    query = f"?session={fresh('shared-desk')}"
    older = visit(query=query)
    start(older)
    # That the session exists already is what the browser reports as a failed request.
    newer = visit(query=query, may_say="409 (Conflict)")
    start(newer)
    expect(older.locator("#notices")).to_contain_text("now sends this session's pictures")
    expect(older.get_by_role("button", name="Continue")).to_be_visible()
    expect(newer.locator("#reading-faces")).not_to_have_text(NOTHING)
    older.get_by_role("button", name="Take over").click()
    expect(newer.locator("#notices")).to_contain_text("now sends this session's pictures")
    expect(older.locator("#reading-faces")).not_to_have_text(NOTHING)


def test_a_session_that_ends_on_the_server_ends_on_the_page(
    visit: Callable[..., Page], server: Server
) -> None:
    session_id = fresh("ends-elsewhere")
    page = visit(query=f"?session={session_id}")
    start(page)
    assert server.ask("DELETE", f"sessions/{session_id}").is_success
    expect(page.locator("#notices")).to_contain_text("The session has ended on the server.")
    expect(page.get_by_role("button", name="Start")).to_be_visible()


# --- what its parts must do ---


def test_directions_are_the_candidates_own(visit: Callable[..., Page]) -> None:
    page = visit(camera=False)
    words = page.evaluate(
        """async () => {
            const { describeAngles } = await import("/page/readings.js");
            return [
              { yaw: 12.4, pitch: -3.6 }, { yaw: -20, pitch: null },
              { yaw: 0.2, pitch: 0.3, roll: -0.4 }, { yaw: 0, pitch: 8, roll: 5 }, null,
            ].map(describeAngles);
        }"""
    )
    assert words == [
        "12° left, 4° down",
        "20° right",
        "straight ahead",
        "8° up, 5° tilted left",
        NOTHING,
    ]


def test_arrows_point_to_the_candidates_left_which_is_the_pictures_right(
    visit: Callable[..., Page],
) -> None:
    page = visit(camera=False)
    vectors = page.evaluate(
        """async () => {
            const { gazeVector, headAxes } = await import("/page/overlay.js");
            const ahead = headAxes({ yaw: 0, pitch: 0, roll: 0 });
            const turned = headAxes({ yaw: 30, pitch: 20, roll: 0 });
            const tilted = headAxes({ yaw: 0, pitch: 0, roll: 10 });
            return {
              left: gazeVector({ yaw: 30, pitch: 0 }), up: gazeVector({ yaw: 0, pitch: 30 }),
              unread: gazeVector({ yaw: -30, pitch: null }),
              aheadForward: ahead.forward, aheadUp: ahead.up, aheadLeft: ahead.left,
              turnedForward: turned.forward, tiltedUp: tilted.up,
            };
        }"""
    )
    near = pytest.approx
    # x to the picture's right, y down.
    assert vectors["left"] == near([0.5, 0])
    assert vectors["up"] == near([0, -0.5])
    assert vectors["unread"] == near([-0.5, 0])
    assert vectors["aheadForward"] == near([0, 0])
    assert vectors["aheadUp"] == near([0, -1])
    assert vectors["aheadLeft"] == near([1, 0])
    assert vectors["turnedForward"] == near([0.4698, -0.3420], abs=1e-3)
    assert vectors["tiltedUp"] == near([0.1736, -0.9848], abs=1e-3)


def test_the_overlay_lies_over_the_face_in_a_mirrored_view_too(
    visit: Callable[..., Page],
) -> None:
    page = visit(camera=False)
    observation = {
        "width": 640,
        "height": 480,
        "faces": [{"track": 1, "box": [64, 120, 128, 240], "presence": 1}],
        "candidate": None,
        "objects": None,
    }
    shares = page.evaluate(
        """async (observation) => {
            const { Overlay } = await import("/page/overlay.js");
            const canvas = document.createElement("canvas");
            canvas.style.width = "640px";
            canvas.style.height = "480px";
            document.body.append(canvas);
            const drawn = async (options) => {
              const overlay = new Overlay(canvas);
              Object.assign(overlay.options, options);
              overlay.show(observation);
              await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
              const [w, h] = [canvas.width, canvas.height];
              const copy = new OffscreenCanvas(w, h).getContext("2d", { willReadFrequently: true });
              copy.drawImage(canvas, 0, 0);
              const half = (left) => copy.getImageData(left, 0, w / 2, h).data
                .filter((value, index) => index % 4 === 3 && value > 0).length;
              return [half(0) > 0, half(w / 2) > 0];
            };
            return [await drawn({ mirrored: false }), await drawn({ mirrored: true })];
        }""",
        observation,
    )
    assert shares == [[True, False], [False, True]]


def test_labels_never_overlap_and_stay_inside_the_picture(visit: Callable[..., Page]) -> None:
    page = visit(camera=False)
    box = [2, 2, 200, 470]
    candidate = {"track": 1, "head": {"yaw": 20, "pitch": 3, "roll": 0}, "eyes_open": True}
    observation = {
        "width": 640,
        "height": 480,
        "faces": [
            {"track": 1, "box": [4, 4, 190, 468], "presence": 1},
            {"track": 2, "box": [8, 4, 200, 476], "presence": 0.9},
        ],
        "candidate": {**candidate, "gaze": {"yaw": -30, "pitch": 12}},
        "objects": {
            "persons": [{"box": box, "score": 0.8}, {"box": [500, 0, 640, 480], "score": 0.7}],
            "phones": [{"box": box, "score": 0.6}],
        },
    }
    # Wider than the picture: there are bars at its sides, over which no label goes.
    labels = page.evaluate(
        """async (observation) => {
            const { Overlay } = await import("/page/overlay.js");
            const canvas = document.createElement("canvas");
            canvas.style.width = "700px";
            canvas.style.height = "480px";
            document.body.append(canvas);
            const drawn = [];
            const fill = CanvasRenderingContext2D.prototype.fillRect;
            CanvasRenderingContext2D.prototype.fillRect = function (x, y, width, height) {
              if (width > 3) drawn.push([x, y, x + width, y + height]);
              fill.call(this, x, y, width, height);
            };
            const overlay = new Overlay(canvas);
            overlay.show(observation);
            await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
            return drawn;
        }""",
        observation,
    )
    assert len(labels) == 7
    for left, top, right, bottom in labels:
        assert 30 <= left < right <= 670
        assert 0 <= top < bottom <= 480
    overlapping = [
        (one, other)
        for one, other in itertools.combinations(labels, 2)
        if one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]
    ]
    assert overlapping == []


def test_nothing_piles_up_before_a_network_that_does_not_carry(browser: Browser) -> None:
    """A server that accepts the socket and then never reads from it."""
    stop = threading.Event()

    def never_read(connection: ServerConnection) -> None:
        flow = {"frames_per_second": 60, "max_width": 640, "max_height": 480, "reason": "overload"}
        connection.send(json.dumps({"flow": flow}))
        stop.wait()

    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    # The page's files come from this test, so the browser does not know that it is a local page.
    context = patient(browser.new_context(permissions=["camera", "local-network-access"]))
    page = context.new_page()
    page.add_init_script(
        """window.sent = { messages: 0, waiting: 0 };
        const send = WebSocket.prototype.send;
        WebSocket.prototype.send = function (data) {
          if (typeof data === "string") return send.call(this, data);  // a report, no picture
          window.sent.waiting = Math.max(window.sent.waiting, this.bufferedAmount);
          send.call(this, data);
          window.sent.messages += 1;
        };"""
    )

    def answer(route: Route) -> None:
        path = route.request.url.split("/", 3)[3]
        if path.startswith("page/"):
            route.fulfill(path=PAGE / path.removeprefix("page/"))
        elif not path:
            route.fulfill(path=PAGE / "index.html")
        elif path == "api/policies":
            route.fulfill(
                json={"policies": [{"name": "exam", "description": ""}], "default": "exam"}
            )
        elif path == "api/health":
            route.fulfill(json={"status": "ok", "detail": "", "version": "", "capabilities": []})
        else:
            route.fulfill(json={})

    page.route("**/*", answer)
    with serve(never_read, sock=listener, max_queue=1, compression=None) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            page.goto(f"http://127.0.0.1:{listener.getsockname()[1]}/")
            expect(page.get_by_label("Policy")).not_to_be_empty()
            page.get_by_role("button", name="Start").click()
            eventually(page, lambda: page.evaluate("window.sent.messages") > 3)
            before, after = -1, 0
            while before != after:
                assert after < 1000, "pictures are sent on and on"
                page.wait_for_timeout(1500)
                before, after = after, page.evaluate("window.sent.messages")
            expect(page.locator("#speed-detail")).to_contain_text("too little computing time")
            waiting = page.evaluate("window.sent.waiting")
        finally:
            stop.set()  # or the server waits for its handlers for ever
    assert waiting == 0
    context.close()


# --- last, because it leaves the server without its object detector ---


def test_a_server_that_goes_away_is_said_and_found_again_with_what_it_lacks(
    browser: Browser, server: Server
) -> None:
    context = patient(browser.new_context(permissions=["camera"]))
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    page.goto(server.url)
    start(page)
    expect(page.locator("#reading-faces")).not_to_have_text(NOTHING)
    expect(page.locator("#reading-persons")).to_have_text(re.compile(r"^\d$"))

    server.kill()
    expect(page.locator("#connection")).to_have_text("Reconnecting")
    expect(page.locator("#notices")).to_contain_text("does not answer")
    expect(page.locator("#speed-analysed")).to_have_text("0.0")

    server.settings["PROCTORING_OBJECT_MODEL"] = "never_imported"
    server.start()
    expect(page.locator("#connection")).to_have_text("Connected")
    expect(page.locator("#notices")).not_to_contain_text("does not answer")
    expect(page.locator("#notices")).not_to_contain_text("begun anew")
    expect(page.locator("#speed-analysed")).not_to_have_text("0.0")
    expect(page.locator("#reading-faces")).to_have_text(re.compile(r"^\d$"))
    expect(page.locator("#reading-persons")).to_have_text(NOTHING)
    objects = page.locator('[data-capability="objects"]')
    expect(objects).to_contain_text("Phones and persons off")
    expect(objects).to_contain_text("never_imported")
    expect(page.locator("#capability-summary")).to_contain_text("1 switched off")
    assert broken == []
    context.close()


def test_what_the_browser_reports_becomes_incidents_of_the_session(
    visit: Callable[..., Page],
) -> None:
    page = visit()
    start(page)
    expect(page.locator("#reading-faces")).to_have_text("1")
    page.evaluate(
        """() => {
            const pasted = new DataTransfer();
            pasted.setData("text/plain", "twelve chars");
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: pasted }));
        }"""
    )
    paste = page.locator('.incident[data-kind="browser.paste"]')
    expect(paste).to_contain_text("12 characters pasted")
    page.evaluate("document.documentElement.requestFullscreen()")
    page.wait_for_timeout(1500)
    page.evaluate("document.exitFullscreen()")
    left = page.locator('.incident[data-kind="browser.fullscreen_left"]')
    expect(left).to_contain_text("Full Screen Left")
    end_session(page)
