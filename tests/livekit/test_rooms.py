"""Rooms of a real livekit-server over real WebRTC, judged by a real server of ours."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
import numpy as np
import pytest
from livekit import rtc
from numpy.typing import NDArray
from tests.livekit.contract_server import settled, until
from tests.livekit.exam import SOON, Person
from tests.livekit.media import empty_room, portrait
from tests.livekit.processes import LiveKit, Proctoring, livekit_binary
from websockets.asyncio.client import connect

from proctoring.livekit import ProctorChannel, ProctoringEvent, Procturing
from proctoring.livekit.agent import AgentSettings, RoomProctor
from proctoring.livekit.channel import NOT_A_PROCTOR, UNKNOWN_INCIDENT
from proctoring.models.store import ModelStore

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(1200)]

ABSENT = "No Face Detected"


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


@pytest.fixture
def room() -> str:
    """A room's name that nobody else uses."""
    return f"exam-{uuid4().hex[:8]}"


@asynccontextmanager
async def watching(
    watcher: Person, server: Proctoring, monkeypatch: pytest.MonkeyPatch, **settings: Any
) -> AsyncIterator[RoomProctor]:
    """The agent's own work in a room, without its process around it."""
    monkeypatch.setenv("PROCTORING_URL", server.url)
    proctor = RoomProctor(watcher.room, AgentSettings(**settings))
    proctor.start()
    try:
        yield proctor
    finally:
        await proctor.aclose()


def starts(events: list[ProctoringEvent], label: str = ABSENT) -> list[int]:
    return [event.seq for event in events if label in event.alerts]


def begun(events: list[ProctoringEvent], label: str = ABSENT) -> list[int]:
    """Numbers of the events in which an incident of this label started, with an alert or not."""
    return [
        event.seq
        for event in events
        if any(one.label == label and one.state == "started" for one in event.incidents)
    ]


def open_kinds(proctoring: Procturing) -> set[str]:
    return {each["kind"] for each in proctoring.status()["open"]}


async def seen_well(proctoring: Procturing, frames: int = 15) -> None:
    """Wait until frames flow."""
    target = proctoring.status()["frames"]["forwarded"] + frames
    await until(lambda: proctoring.status()["frames"]["forwarded"] >= target, SOON)


def test_alerts_reach_the_application_the_proctors_and_the_events_socket_and_never_the_candidate(
    livekit: LiveKit, proctoring: Proctoring, room: str
) -> None:
    async def scenario() -> None:
        handled: list[ProctoringEvent] = []
        async with (
            Person(livekit, room, "candidate-1") as candidate,
            Person(livekit, room, "proctor-1") as invigilator,
            Person(livekit, room, "visitor") as visitor,
            Person(livekit, room, "watcher", hidden=True) as watcher,
        ):
            channel = ProctorChannel(watcher.room)
            watched = Procturing(
                await watcher.meet("candidate-1"), watcher.room, url=proctoring.url,
                on_event=handled.append, channel=channel,
            )  # fmt: skip

            @watcher.room.on("track_subscribed")
            def subscribed(track: rtc.Track, *_: object) -> None:
                """As in the documentation of ``Procturing``."""

                async def act() -> None:
                    if track.kind == rtc.TrackKind.KIND_VIDEO:
                        watched.video_track = track
                        await watched.start_if_ready()
                    if track.kind == rtc.TrackKind.KIND_AUDIO:
                        await watched.enable_audio(track)

                acting.append(asyncio.create_task(act()))

            acting: list[asyncio.Task[None]] = []
            camera = await candidate.show(portrait())
            await candidate.speak()
            await seen_well(watched)
            events = f"{proctoring.url}/ws/proctor/{watched.session_id}/events?after=0"
            async with connect(events, open_timeout=SOON) as listener:
                camera.picture = empty_room()
                await until(lambda: invigilator.alerts(), SOON)
                assert "face.absent" in open_kinds(watched)
                absent = next(e for e in watched.status()["open"] if e["kind"] == "face.absent")

                status = await invigilator.ask("proctoring.status")
                assert status["sessions"][0]["session_id"] == watched.session_id
                await invigilator.ask("proctoring.acknowledge", incident=absent["id"])
                status = await invigilator.ask("proctoring.status")
                open_now = {each["id"]: each for each in status["sessions"][0]["open"]}
                assert open_now[absent["id"]]["acknowledged_by"] == "proctor-1"
                with pytest.raises(rtc.RpcError) as unknown:
                    await invigilator.ask("proctoring.acknowledge", incident="01JX")
                assert unknown.value.code == UNKNOWN_INCIDENT
                for other in (candidate, visitor):
                    other.heard.append({"hello": {"agent": "watcher"}})
                    with pytest.raises(rtc.RpcError) as refused:
                        await other.ask("proctoring.status")
                    assert refused.value.code == NOT_A_PROCTOR
                    other.heard.clear()

                camera.picture = portrait()
                await until(lambda: "face.absent" not in open_kinds(watched), SOON)
                last = watched.status()["events"]["last_seq"]
                raw: list[dict[str, Any]] = []
                while not raw or raw[-1]["seq"] < last:
                    raw.append(json.loads(await asyncio.wait_for(listener.recv(), SOON)))
            await until(lambda: handled[-1].seq == invigilator.events[-1]["seq"] == last, SOON)

            assert [each["seq"] for each in raw] == list(range(1, last + 1))
            assert [each.seq for each in handled] == [each["seq"] for each in raw]
            assert invigilator.events == raw
            assert len(starts(handled)) == 1
            assert candidate.heard == []
            assert visitor.heard == []
            assert watched.status()["last_errors"] == {}
            await watched.aclose()
            await channel.aclose()

    run(scenario())


def test_the_agent_watches_two_candidates_apart_and_tells_a_late_proctor_everything(
    livekit: LiveKit, proctoring: Proctoring, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with (
            Person(livekit, room, "candidate-here") as here,
            Person(livekit, room, "candidate-gone") as gone,
            Person(livekit, room, "watcher", hidden=True) as watcher,
            watching(watcher, proctoring, monkeypatch) as agent,
        ):
            await here.show(portrait())
            await gone.show(empty_room())
            await until(lambda: len(agent.candidates) == 2, SOON)
            absent = agent.candidates["candidate-gone"]
            await until(lambda: "face.absent" in open_kinds(absent), SOON)
            async with Person(livekit, room, "proctor-late") as late:
                await until(late.alerts, SOON)
                assert {event["session_id"] for event in late.events if event["alerts"]} == {
                    f"{room}:candidate-gone"
                }
                assert "face.absent" not in open_kinds(agent.candidates["candidate-here"])
                assert "watcher" not in late.room.remote_participants
            assert here.heard == gone.heard == []

    run(scenario())


@pytest.mark.usefixtures("audio_models")
def test_a_second_voice_in_the_candidates_room_is_heard(
    livekit: LiveKit, proctoring: Proctoring, room: str, monkeypatch: pytest.MonkeyPatch,
    two_voices: NDArray[np.int16],
) -> None:  # fmt: skip
    async def scenario() -> None:
        async with (
            Person(livekit, room, "candidate-1") as candidate,
            Person(livekit, room, "proctor-1") as invigilator,
            Person(livekit, room, "watcher", hidden=True) as watcher,
            watching(watcher, proctoring, monkeypatch) as agent,
        ):
            await candidate.speak(two_voices)
            await until(lambda: invigilator.alerts("Multiple Speakers Detected"), 100)
            watched = agent.candidates["candidate-1"]
            assert watched.status()["last_errors"] == {}
            async with httpx.AsyncClient(base_url=proctoring.http, timeout=60) as client:
                session = (await client.get(f"/api/sessions/{watched.session_id}")).json()
            assert session["sound"]["received"] > 5
            # A busy machine's rooms lose some; a wrong clock would lose nearly all.
            assert session["sound"]["missing"] < 0.5 * session["sound"]["received"]

    run(scenario())


def test_mute_another_camera_a_shared_screen_and_coming_back_go_on_in_one_session(
    livekit: LiveKit, proctoring: Proctoring, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with (
            Person(livekit, room, "watcher", hidden=True) as watcher,
            watching(watcher, proctoring, monkeypatch) as agent,
        ):
            async with Person(livekit, room, "candidate-1") as candidate:
                camera = await candidate.show(portrait())
                await candidate.speak()
                await until(lambda: "candidate-1" in agent.candidates, SOON)
                watched = agent.candidates["candidate-1"]
                await seen_well(watched)

                camera.track.mute()
                await settled(lambda: int(watched.status()["frames"]["received"]))
                camera.track.unmute()
                await seen_well(watched)

                local = candidate.room.local_participant
                for publication in list(local.track_publications.values()):
                    if publication.kind == rtc.TrackKind.KIND_VIDEO:
                        await local.unpublish_track(publication.sid)
                await candidate.show(portrait(480, 640))
                await seen_well(watched)

                # Nobody is on the screen that is shared: it is not what is judged.
                await candidate.show(empty_room(), source=rtc.TrackSource.SOURCE_SCREENSHARE)
                await asyncio.sleep(4.5)
                assert "face.absent" not in open_kinds(watched)

            async with Person(livekit, room, "candidate-1") as candidate:
                await candidate.show(portrait())
                await seen_well(watched)
            status = watched.status()
            assert agent.candidates == {"candidate-1": watched}
            assert status["sockets"]["video"]["connections"] == 1
            assert status["last_errors"] == {}

    run(scenario())


def test_a_candidate_who_leaves_for_good_is_forgotten_and_a_flood_is_thinned_out(
    livekit: LiveKit, proctoring: Proctoring, room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scenario() -> None:
        async with (
            Person(livekit, room, "watcher", hidden=True) as watcher,
            watching(watcher, proctoring, monkeypatch, rejoin_grace=1) as agent,
        ):
            async with Person(livekit, room, "candidate-1") as candidate:
                await candidate.show(portrait(1280, 720), frames_per_second=60)
                await until(lambda: "candidate-1" in agent.candidates, SOON)
                watched = agent.candidates["candidate-1"]
                await seen_well(watched, 5)
                before, began = watched.status()["frames"]["forwarded"], time.monotonic()
                await asyncio.sleep(3)
                counts = watched.status()["frames"]
                assert counts["forwarded"] - before <= 10 * (time.monotonic() - began) + 3
                assert counts["rejected"] == 0
            await until(lambda: not agent.candidates, SOON)
            await until(lambda: watched.status()["sockets"]["video"]["state"] == "closed", SOON)

    run(scenario())


def test_our_server_may_die_and_come_back_and_no_alert_is_lost_or_doubled(
    livekit: LiveKit, tmp_path: Path, model_store: ModelStore, room: str
) -> None:
    mirror = {"PROCTORING_MODELS_MIRROR": str(model_store.mirror)} if model_store.mirror else {}
    server = Proctoring(tmp_path, **mirror)
    server.start()

    async def scenario() -> None:
        handled: list[ProctoringEvent] = []
        async with (
            Person(livekit, room, "candidate-1") as candidate,
            Person(livekit, room, "proctor-1") as invigilator,
            Person(livekit, room, "watcher", hidden=True) as watcher,
        ):
            channel = ProctorChannel(watcher.room)
            watched = Procturing(
                await watcher.meet("candidate-1"), watcher.room, url=server.url,
                policy="interview", on_event=handled.append, channel=channel,
            )  # fmt: skip
            camera = await candidate.show(portrait())
            await until(lambda: track_of(watched), SOON)
            watched.video_track = track_of(watched)
            await watched.start_if_ready()
            await seen_well(watched)
            camera.picture = empty_room()
            await until(lambda: len(starts(handled)) == 1, SOON)

            await asyncio.to_thread(server.kill)
            camera.picture = portrait()
            await until(lambda: watched.status()["problems"], SOON)
            await asyncio.to_thread(server.start)
            await seen_well(watched)
            # The session goes on under its policy.
            async with httpx.AsyncClient(base_url=server.http, timeout=60) as client:
                session = (await client.get(f"/api/sessions/{watched.session_id}")).json()
            assert session["policy"] == "interview"
            camera.picture = empty_room()
            await until(lambda: len(begun(handled)) == 2, SOON)
            camera.picture = portrait()

            # Stopped as an operator does it: sessions go on.
            await seen_well(watched)
            assert await asyncio.to_thread(server.stop) == 0
            await asyncio.to_thread(server.start)
            await seen_well(watched)
            camera.picture = empty_room()
            await until(lambda: len(begun(handled)) == 3, SOON)
            # The session is the same: what follows within its kind's cooldown does not alert.
            await until(lambda: invigilator.alerts() == starts(handled), SOON)

            identifiers = [i.id for e in handled for i in e.incidents if i.state == "started"]
            assert len(identifiers) == len(set(identifiers))
            assert watched.status()["events"] == {
                "last_seq": handled[-1].seq, "missed": 0, "dropped": 0,
            }  # fmt: skip
            assert candidate.heard == []
            await watched.aclose()
            await channel.aclose()

    try:
        run(scenario())
    finally:
        server.kill()


def test_livekit_may_die_and_come_back_and_no_alert_is_lost_or_doubled(
    proctoring: Proctoring, tmp_path: Path, livekit: LiveKit, room: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    binary = livekit_binary()
    assert binary is not None
    own = LiveKit(binary, tmp_path)
    own.start()

    async def scenario() -> None:
        async with (
            Person(own, room, "candidate-1") as candidate,
            Person(own, room, "proctor-1") as invigilator,
            Person(own, room, "watcher", hidden=True) as watcher,
            watching(watcher, proctoring, monkeypatch) as agent,
        ):
            camera = await candidate.show(portrait())
            await until(lambda: "candidate-1" in agent.candidates, SOON)
            watched = agent.candidates["candidate-1"]
            await seen_well(watched)
            camera.picture = empty_room()
            await until(lambda: len(invigilator.alerts()) == 1, SOON)

            await asyncio.to_thread(own.kill)
            camera.picture = portrait()
            await asyncio.sleep(1)
            await asyncio.to_thread(own.start)
            await seen_well(watched, 25)
            assert agent.candidates == {"candidate-1": watched}
            camera.picture = empty_room()
            await until(lambda: watched.status()["alerts"] >= 1, SOON)
            await until(
                lambda: invigilator.events[-1]["seq"] == watched.status()["events"]["last_seq"],
                SOON,
            )
            numbers = [event["seq"] for event in invigilator.events]
            assert numbers == list(range(1, len(numbers) + 1))
            assert watched.status()["sockets"]["events"]["connections"] == 1
            assert candidate.heard == []

    try:
        run(scenario())
    finally:
        own.kill()


def track_of(watched: Procturing) -> rtc.Track | None:
    """The camera's track that LiveKit gave."""
    for publication in watched.participant.track_publications.values():
        if publication.track is not None and publication.kind == rtc.TrackKind.KIND_VIDEO:
            return publication.track
    return None
