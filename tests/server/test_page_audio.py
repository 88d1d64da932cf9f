"""The page's sound in a real browser: real speech into a fake microphone, real networks."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect, sync_playwright
from tests.server.browser import CHROMIUM, FLAGS, PATIENCE_MS, fresh, in_browser, patient
from tests.server.test_page import (
    HEIGHT,
    NOTHING,
    WIDTH,
    Server,
    accessibility_violations,
    choose_recording,
    eventually,
    one_face,
    start,
    write_camera,
)

pytestmark = in_browser

Pcm = NDArray[np.int16]
RATE = 16_000


def write_wav(path: Path, samples: Pcm) -> None:
    with av.open(path, "w") as container:
        stream = container.add_stream("pcm_s16le", rate=RATE, layout="mono")
        frame = av.AudioFrame.from_ndarray(samples[None], "s16", "mono")
        frame.sample_rate = RATE
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def write_talking(path: Path, samples: Pcm) -> None:
    """A WebM file of a face, as long as its speech."""
    with av.open(path, "w") as container:
        video = container.add_stream(
            "libvpx", rate=10, options={"deadline": "realtime", "cpu-used": "16"}
        )
        video.width, video.height, video.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        video.bit_rate = 1_000_000
        audio = container.add_stream("libopus", rate=48_000, layout="mono")
        resampler = av.AudioResampler("s16", "mono", 48_000)
        for tick in range(len(samples) * 10 // RATE):
            picture = np.ascontiguousarray(one_face(tick / 10))
            container.mux(video.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
            at = tick * RATE // 10
            frame = av.AudioFrame.from_ndarray(samples[None, at : at + RATE // 10], "s16", "mono")
            frame.sample_rate, frame.pts = RATE, at
            for piece in resampler.resample(frame):
                container.mux(audio.encode(piece))
        container.mux(video.encode(None))
        container.mux(audio.encode(None))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = Server(tmp_path_factory.mktemp("server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def talk(
    tmp_path_factory: pytest.TempPathFactory, two_voices: Pcm
) -> Iterator[Callable[[], Browser]]:
    """Starts a browser before which a face is and two people talk, from the beginning."""
    folder = tmp_path_factory.mktemp("media")
    write_camera(folder / "camera.mjpeg")
    write_wav(folder / "microphone.wav", two_voices)
    with sync_playwright() as playwright:
        yield lambda: playwright.chromium.launch(
            executable_path=CHROMIUM,
            timeout=PATIENCE_MS,
            args=[
                *FLAGS,
                "--use-fake-device-for-media-stream",
                f"--use-file-for-fake-video-capture={folder / 'camera.mjpeg'}",
                f"--use-file-for-fake-audio-capture={folder / 'microphone.wav'}",
            ],
        )


@pytest.fixture
def visit(talk: Callable[[], Browser], server: Server) -> Iterator[Callable[..., Page]]:
    """Opens the page; at the end nothing may have gone wrong in it."""
    opened: list[Browser | BrowserContext] = []
    complaints: list[str] = []

    def open_page(*permissions: str, query: str = "") -> Page:
        browser = talk()
        context = patient(
            browser.new_context(
                permissions=list(permissions), viewport={"width": 1280, "height": 1100}
            )
        )
        opened.extend([context, browser])
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on(
            "console",
            lambda message: complaints.append(message.text) if message.type == "error" else None,
        )
        page.goto(f"{server.url}/{query}")
        return page

    yield open_page
    for one in opened:
        one.close()
    assert complaints == []


def session(server: Server, session_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = server.ask("GET", f"sessions/{session_id}").json()
    return answer


def test_the_microphone_is_heard_judged_and_muted(
    visit: Callable[..., Page], server: Server
) -> None:
    session_id = fresh("talk")
    page = visit("camera", "microphone", query=f"?session={session_id}")
    start(page)
    expect(page.locator("#sound-state")).to_have_text("Sound is sent")
    expect(page.locator("#sound-speech")).to_have_text("yes")
    expect(page.locator("#sound-level-text")).to_have_text(re.compile(r"^-[1-4]\d dB$"))
    incident = page.locator('.incident[data-kind="audio.multiple_speakers"]')
    expect(incident).to_contain_text("Multiple Speakers Detected")
    expect(page.locator("#sound-voices")).to_have_text(re.compile("^2"))
    assert accessibility_violations(page) == []
    told = session(server, session_id)
    # A busy machine's browser leaves some sound out, and sends the rest later than the pictures.
    assert told["sound"]["missing"] < 0.2 * told["sound"]["received"] + 0.5
    assert told["sound"]["received"] + told["sound"]["missing"] == pytest.approx(
        told["media_time"], abs=20
    )

    before, muted = told["sound"]["missing"], time.monotonic()
    mute = page.get_by_role("button", name="Mute")
    mute.click()
    expect(page.locator("#sound-state")).to_have_text("Muted: no sound is sent")
    eventually(page, lambda: session(server, session_id)["audio"] is False)
    page.wait_for_timeout(3000)
    page.get_by_role("button", name="Unmute").click()
    expect(page.locator("#sound-state")).to_have_text("Sound is sent")
    eventually(page, lambda: session(server, session_id)["sound"]["missing"] > before + 2.5)
    missing = session(server, session_id)["sound"]["missing"] - before
    assert missing < 1.2 * (time.monotonic() - muted) + 0.5


def test_who_sends_no_sound_any_more_is_told_until_it_is_back(visit: Callable[..., Page]) -> None:
    session_id = fresh("silent")
    page = visit("camera", "microphone", query=f"?session={session_id}")
    start(page)
    expect(page.locator("#sound-state")).to_have_text("Sound is sent")
    expect(page.locator("#sound-level-text")).to_have_text(re.compile(r"dB$"))
    page.get_by_role("button", name="Mute").click()
    told = page.locator('.notice[data-subject="media-sound_lost"]')
    expect(told).to_contain_text("No sound arrives")
    page.get_by_role("button", name="Unmute").click()
    expect(told).to_have_count(0)


def test_words_are_shown_where_they_are_asked_for(visit: Callable[..., Page]) -> None:
    page = visit("camera", "microphone")
    expect(page.locator("#transcript")).to_be_hidden()
    page.get_by_label("Transcribe speech").check()
    start(page)
    line = page.locator("#transcript-lines li").first
    expect(line).to_be_visible(timeout=60_000)
    expect(line).to_have_text(re.compile(r"^\d+:\d\d\.\d \w+"))
    expect(page.locator('[data-capability="transcription.moonshine"]')).to_contain_text("on")
    assert accessibility_violations(page) == []


def test_pictures_go_out_where_the_microphone_is_refused(
    visit: Callable[..., Page], server: Server
) -> None:
    session_id = fresh("refused")
    page = visit("camera", query=f"?session={session_id}")
    start(page)
    expect(page.locator("#notices")).to_contain_text("No sound is sent")
    expect(page.locator("#reading-faces")).not_to_have_text(NOTHING)
    assert session(server, session_id)["audio"] is False
    expect(page.get_by_role("button", name="Mute")).to_have_attribute("aria-disabled", "true")


def test_no_sound_is_asked_for_where_none_is_wanted(
    visit: Callable[..., Page], server: Server
) -> None:
    session_id = fresh("unwanted")
    page = visit("camera", "microphone", query=f"?session={session_id}")
    page.get_by_label("Microphone").select_option(label="None: send no sound")
    start(page)
    expect(page.locator("#reading-faces")).not_to_have_text(NOTHING)
    expect(page.locator("#sound-state")).to_have_text("No sound is sent")
    assert session(server, session_id)["audio"] is False


def test_a_recordings_sound_goes_with_its_pictures(
    visit: Callable[..., Page], server: Server, two_voices: Pcm, tmp_path: Path
) -> None:
    recording = tmp_path / "talk.webm"
    write_talking(recording, two_voices[: 20 * RATE])
    session_id = fresh("recorded")
    page = visit(query=f"?session={session_id}")
    ending: list[Route] = []
    page.route(
        f"**/api/sessions/{session_id}",
        lambda route: (
            ending.append(route) if route.request.method == "DELETE" else route.continue_()
        ),
    )
    choose_recording(page, recording)
    start(page)
    incident = page.locator('.incident[data-kind="audio.multiple_speakers"]')
    expect(incident).to_contain_text("Multiple Speakers Detected")
    eventually(page, lambda: session(server, session_id)["sound"]["received"] > 19.0)
    assert session(server, session_id)["sound"]["missing"] < 0.1
    eventually(page, lambda: len(ending) == 1)
    ending[0].continue_()
    expect(page.locator("#notices")).to_contain_text("played to its end")
