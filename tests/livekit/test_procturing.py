"""Procturing against a server with the documented sockets, with real LiveKit media from local tracks."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Coroutine
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
import simplejpeg
from app.services.procturing import Procturing as DocumentedProcturing
from livekit import rtc
from tests.livekit.contract_server import ContractServer, capture_time, settled, until
from tests.livekit.media import Camera, Microphone, portrait

from proctoring.livekit import ProctoringEvent, Procturing


def candidate(**publications: Any) -> rtc.RemoteParticipant:
    """A participant as far as Procturing looks at one."""
    return cast(
        rtc.RemoteParticipant,
        SimpleNamespace(identity="candidate-1", track_publications=publications),
    )


def event(
    seq: int, state: str = "started", *, incident: str = "01J1", second: int | None = None
) -> dict[str, Any]:
    """An events message."""
    return {
        "alerts": ["Looking Left"] if state == "started" else [],
        "session_id": "exam:candidate-1",
        "seq": seq,
        "time": f"2026-01-02T10:00:{seq if second is None else second:02d}.000Z",
        "media_time": float(seq),
        "incidents": [
            {
                "id": incident, "kind": "gaze.left", "label": "Looking Left", "state": state,
                "severity": "warning", "confidence": 0.9, "started_at": 1.0, "duration": 2.0,
                "reason": "gaze 31 degrees left for 2.0 s (limit 2.0 s)", "evidence": [],
            }
        ],
    }  # fmt: skip


def run(scenario: Coroutine[Any, Any, None]) -> None:
    asyncio.run(scenario)


def proctoring(server: ContractServer, **options: Any) -> Procturing:
    options.setdefault("session_id", "exam:candidate-1")
    return Procturing(candidate(), rtc.Room(), url=server.url, **options)


async def start(proctor: Procturing, camera: Camera) -> None:
    proctor.video_track = camera.track
    assert await proctor.start_if_ready()


def test_the_documented_path_is_the_same_class() -> None:
    assert DocumentedProcturing is Procturing


def test_nothing_is_forwarded_before_there_is_a_video_track() -> None:
    async def scenario() -> None:
        async with ContractServer() as server, proctoring(server) as proctor:
            assert await proctor.start_if_ready() is False
            assert server.connections == []

    run(scenario())


def test_frames_arrive_at_the_servers_rate_with_their_capture_times() -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Camera(portrait(), frames_per_second=30, sway=0) as camera,
            proctoring(server, token="shown-token") as proctor,
        ):
            await start(proctor, camera)
            assert await proctor.start_if_ready()
            await until(lambda: len(server.received("video")) >= 11)
            frames = server.received("video")
            times = [capture_time(frame) for frame in frames]
            # Never faster; a busy machine may be slower. How evenly: tests/livekit/test_frame_rate.py.
            assert np.diff(times).mean() > 95_000
            assert abs(times[-1] / 1e6 - time.time()) < 5
            picture = simplejpeg.decode_jpeg(frames[-1][8:])
            assert picture.shape == (480, 640, 3)
            assert np.abs(picture.astype(int) - portrait()[:, :, :3]).mean() < 12
            assert len(server.of("video")) == 1
            assert {each.authorization for each in server.connections} == {"Bearer shown-token"}
            assert proctor.status()["frames"]["skipped"] > 0

    run(scenario())


def test_a_camera_held_sideways_arrives_upright() -> None:
    async def scenario() -> None:
        sideways = np.ascontiguousarray(np.rot90(portrait()))
        async with (
            ContractServer() as server,
            Camera(sideways, rotation=rtc.VideoRotation.VIDEO_ROTATION_90, sway=0) as camera,
            proctoring(server) as proctor,
        ):
            await start(proctor, camera)
            await until(lambda: server.received("video"))
            picture = simplejpeg.decode_jpeg(server.received("video")[-1][8:])
            assert picture.shape == (480, 640, 3)
            assert np.abs(picture.astype(int) - portrait()[:, :, :3]).mean() < 12

    run(scenario())


def test_a_server_that_asks_for_less_gets_less() -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Camera(portrait(), frames_per_second=30) as camera,
            proctoring(server) as proctor,
        ):
            await start(proctor, camera)
            await until(lambda: server.received("video"))
            less = {
                "frames_per_second": 4.0,
                "max_width": 320,
                "max_height": 240,
                "reason": "overload",
            }
            await server.open("video")[0].socket.send(json.dumps({"flow": less}))
            await until(lambda: proctor.status()["flow"] == less)
            before = len(server.received("video"))
            await until(lambda: len(server.received("video")) >= before + 6)
            frames = server.received("video")[before + 1 :]
            steps = np.diff([capture_time(frame) for frame in frames])
            assert np.mean(steps) > 240_000
            assert simplejpeg.decode_jpeg_header(frames[-1][8:])[:2] == (240, 320)

    run(scenario())


def test_errors_of_the_server_are_counted_and_the_stream_goes_on() -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Camera(portrait()) as camera,
            proctoring(server) as proctor,
        ):
            await start(proctor, camera)
            await until(lambda: server.received("video"))
            error = {"error": {"code": "bad_frame", "detail": "not a JPEG"}}
            await server.open("video")[0].socket.send(json.dumps(error))
            await until(lambda: proctor.status()["frames"]["rejected"] == 1)
            assert proctor.status()["last_errors"] == {"video": "bad_frame: not a JPEG"}
            before = len(server.received("video"))
            await until(lambda: len(server.received("video")) > before)

    run(scenario())


def test_sound_arrives_as_16_khz_mono_with_its_start() -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Microphone() as microphone,
            proctoring(server) as proctor,
        ):
            await proctor.enable_audio(microphone.track)
            await until(lambda: len(b"".join(server.received("audio"))) > 32_000)
            sound = np.frombuffer(b"".join(server.received("audio")), "<i2")
            spectrum = np.abs(np.fft.rfft(sound[-8000:]))
            assert np.argmax(spectrum) * 16_000 / 8000 == pytest.approx(440, abs=4)
            assert abs(int(server.open("audio")[0].query["start"]) / 1e6 - time.time()) < 30

    run(scenario())


def test_sound_made_while_the_server_was_away_arrives_afterwards() -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Microphone() as microphone,
            proctoring(server) as proctor,
        ):
            await proctor.enable_audio(microphone.track)
            await until(lambda: len(server.received("audio")) >= 3)
            await server.stop()
            await until(lambda: proctor.status()["audio"]["waiting_seconds"] > 1)
            await server.start()
            await until(lambda: server.open("audio"))
            await until(lambda: proctor.status()["audio"]["waiting_seconds"] < 0.2)
            first, second = server.of("audio")
            told = int(first.query["start"]) / 1e6 + len(b"".join(first.messages)) / 32_000
            # What was on its way when the server went is sent again; the server skips the rest.
            assert -2.1 < int(second.query["start"]) / 1e6 - told <= 0.001
            assert proctor.status()["audio"]["lost_seconds"] == 0

    run(scenario())


def test_another_microphone_begins_a_socket_of_its_own_with_its_own_start() -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Microphone() as first,
            Microphone() as second,
            proctoring(server) as proctor,
        ):
            await proctor.enable_audio(first.track)
            await until(lambda: len(server.received("audio")) >= 3)
            await proctor.enable_audio(second.track)
            await until(lambda: len(server.of("audio")) == 2)
            await until(lambda: len(server.of("audio")[1].messages) >= 3)
            starts = [int(each.query["start"]) for each in server.of("audio")]
            assert starts[1] > starts[0]

    run(scenario())


def test_the_zeros_of_a_muted_microphone_are_not_forwarded() -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Microphone() as microphone,
            proctoring(server) as proctor,
        ):
            await proctor.enable_audio(microphone.track)
            await until(lambda: len(server.received("audio")) >= 3)
            publication = SimpleNamespace(sid=microphone.track.sid, muted=True)
            proctor.room.emit("track_muted", proctor.participant, publication)
            muted = await settled(lambda: len(server.received("audio")))
            proctor.room.emit("track_unmuted", proctor.participant, publication)
            await until(lambda: len(server.received("audio")) >= muted + 3)

    run(scenario())


def test_a_microphone_that_is_muted_from_the_start_is_forwarded_once_it_is_not() -> None:
    async def scenario() -> None:
        async with ContractServer() as server, Microphone() as microphone:
            publication = SimpleNamespace(
                sid=microphone.track.sid, muted=True, source=rtc.TrackSource.SOURCE_MICROPHONE
            )
            participant = candidate(**{microphone.track.sid: publication})
            async with Procturing(participant, rtc.Room(), url=server.url) as proctor:
                await proctor.enable_audio(microphone.track)
                await asyncio.sleep(0.5)
                assert server.received("audio") == []
                proctor.room.emit("track_unmuted", participant, publication)
                await until(lambda: len(server.received("audio")) >= 3)

    run(scenario())


def test_a_server_without_an_audio_socket_is_told_once_and_video_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Camera(portrait()) as camera,
            Microphone() as microphone,
            proctoring(server) as proctor,
        ):
            server.refused = {"audio"}
            await start(proctor, camera)
            await proctor.enable_audio(microphone.track)
            await until(lambda: proctor.status()["sockets"]["audio"]["state"] == "refused")
            assert proctor.status()["problems"] == ["audio: refused (the server answered 403)"]
            before = len(server.received("video"))
            await until(lambda: len(server.received("video")) > before + 3)

    run(scenario())
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == ["the audio socket is refused: the server answered 403"]


def test_events_reach_the_handler_and_every_iterator_once_and_in_order() -> None:
    async def scenario() -> None:
        handled: list[int] = []
        iterated: list[int] = []

        async def handle(each: ProctoringEvent) -> None:
            handled.append(each.seq)
            if each.seq == 1:
                raise RuntimeError("the application's own fault")

        async with ContractServer() as server, Camera(portrait()) as camera:
            proctor = proctoring(server, on_event=handle)

            async def iterate() -> None:
                async for each in proctor.events():
                    iterated.append(each.seq)  # noqa: PERF401 - seen while it runs

            listening = asyncio.create_task(iterate())
            await start(proctor, camera)
            await until(lambda: server.open("events"))
            await server.publish(event(1))
            await until(lambda: handled == [1])
            await server.stop()
            server.events.append(event(2, "ended"))
            await server.start()
            await until(lambda: server.open("events"))
            await server.publish(event(3, incident="01J2"))
            await until(lambda: handled == [1, 2, 3])
            assert [each["id"] for each in proctor.status()["open"]] == ["01J2"]
            assert proctor.status()["alerts"] == 2
            await proctor.aclose()
            await asyncio.wait_for(listening, 60)
            assert iterated == [1, 2, 3]
            assert [each.query for each in server.of("events")] == [{}, {"after": "1"}]

    run(scenario())


@pytest.mark.parametrize(
    "between", [(), (event(1, incident="first of the new", second=20),)], ids=["none", "one"]
)
def test_a_server_that_lost_its_journal_is_heard_from_one_again(
    between: tuple[dict[str, Any], ...],
) -> None:
    async def scenario() -> None:
        seen: list[tuple[int, str]] = []
        async with (
            ContractServer() as server,
            Camera(portrait()) as camera,
            proctoring(
                server, on_event=lambda each: seen.append((each.seq, each.incidents[0].id))
            ) as proctor,
        ):
            await start(proctor, camera)
            await until(lambda: server.open("events"))
            await server.publish(event(1, incident="old1"))
            await server.publish(event(2, incident="old2"))
            await until(lambda: len(seen) == 2)
            await server.stop()
            server.events = list(between)
            await server.start()
            await until(lambda: server.open("events"))
            following = len(between) + 1
            await server.publish(event(following, incident="new", second=30))
            told = [(each["seq"], each["incidents"][0]["id"]) for each in server.events]
            await until(lambda: len(seen) == 2 + len(told))
            assert seen == [(1, "old1"), (2, "old2"), *told]

    run(scenario())


@pytest.mark.parametrize(("code", "state"), [(4004, "ended"), (4009, "replaced")])
def test_a_session_that_ended_or_was_taken_over_is_not_fought_for(code: int, state: str) -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Camera(portrait()) as camera,
            proctoring(server) as proctor,
        ):
            await start(proctor, camera)
            await until(lambda: server.received("video"))
            await server.open("video")[0].socket.close(code)
            await until(lambda: proctor.status()["sockets"]["video"]["state"] == state)
            await asyncio.sleep(0.5)
            assert len(server.of("video")) == 1
            assert proctor.status()["problems"][0].startswith(f"video: {state}")

    run(scenario())


def test_a_server_that_stops_reading_costs_frames_and_not_memory() -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Camera(portrait(), frames_per_second=60) as camera,
            proctoring(server) as proctor,
        ):
            await start(proctor, camera)
            await until(lambda: server.received("video"))
            flood = {"frames_per_second": 60.0, "max_width": 640, "max_height": 480}
            connection = server.open("video")[0]
            await connection.socket.send(json.dumps({"flow": flood}))
            connection.socket.transport.pause_reading()

            async def forwarded_while_20_are_replaced() -> int:
                before = proctor.status()["frames"]
                await until(
                    lambda: proctor.status()["frames"]["replaced"] > before["replaced"] + 20
                )
                return int(proctor.status()["frames"]["forwarded"] - before["forwarded"])

            async with asyncio.timeout(60):
                while await forwarded_while_20_are_replaced() > 1:
                    pass  # the buffers on the way are not full yet
            forwarded = proctor.status()["frames"]["forwarded"]
            connection.socket.transport.resume_reading()
            await until(lambda: proctor.status()["frames"]["forwarded"] > forwarded + 5)

    run(scenario())


def test_replacing_the_camera_goes_on_in_the_same_session() -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Camera(portrait()) as first,
            Camera(portrait(320, 240)) as second,
            proctoring(server) as proctor,
        ):
            await start(proctor, first)
            await until(lambda: server.received("video"))
            proctor.video_track = second.track
            await until(
                lambda: (
                    simplejpeg.decode_jpeg_header(server.received("video")[-1][8:])[:2]
                    == (240, 320)
                )
            )
            assert len(server.of("video")) == 1

    run(scenario())


def test_closing_closes_every_socket_and_leaves_no_task_behind() -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Camera(portrait()) as camera,
            Microphone() as microphone,
        ):
            proctor = proctoring(server, on_event=print)
            await start(proctor, camera)
            await proctor.enable_audio(microphone.track)
            await until(lambda: server.received("video") and server.received("audio"))
            await proctor.aclose()
            await proctor.aclose()
            await until(lambda: not any(server.open(k) for k in ("video", "audio", "events")))
            assert {each.socket.close_code for each in server.connections} == {1000}
            names = [task.get_name() for task in asyncio.all_tasks()]
            assert not [name for name in names if name.startswith("proctoring")]
            with pytest.raises(RuntimeError, match="closed"):
                await proctor.start_if_ready()

    run(scenario())


def test_a_shared_screen_is_never_forwarded() -> None:
    async def scenario() -> None:
        async with ContractServer() as server, Camera(portrait()) as camera:
            screen = SimpleNamespace(source=rtc.TrackSource.SOURCE_SCREENSHARE)
            participant = candidate(**{camera.track.sid: screen})
            async with Procturing(participant, rtc.Room(), url=server.url) as proctor:
                proctor.video_track = camera.track
                assert await proctor.start_if_ready() is False

    run(scenario())


def test_an_incident_is_acknowledged_by_its_id() -> None:
    async def scenario() -> None:
        async with (
            ContractServer() as server,
            Camera(portrait()) as camera,
            proctoring(server) as proctor,
        ):
            await start(proctor, camera)
            await until(lambda: server.open("events"))
            await server.publish(event(1, incident="01J9"))
            await until(lambda: proctor.status()["open"])
            assert proctor.acknowledge("01J9", by="proctor-7")
            assert not proctor.acknowledge("01JX", by="proctor-7")
            assert proctor.status()["open"][0]["acknowledged_by"] == "proctor-7"

    run(scenario())
