"""The recording's frames over a real socket give the incidents that ``analyse`` gives."""

from __future__ import annotations

import contextlib
from pathlib import Path
from time import sleep
from typing import Any

import av
import pytest
from tests.recording.clips import face, sitting, write_clip, write_clip_with_sound
from tests.server.live import DEAF, receive, receive_key, running
from websockets.exceptions import ConnectionClosed

from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import SAMPLE_RATE, Pcm
from proctoring.incidents import IncidentChange
from proctoring.judgement import shipped_policy
from proctoring.recording.audio_track import AudioTrack, analyse_audio
from proctoring.recording.video_track import analyse_video
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.networks import VisionModels
from proctoring.vision.video_file import first_presentation_time

PACE = 0.05
"""Seconds between two frames at least, half of what they are apart: sent faster, the server would
look for objects less often than once a second of media time."""
CAPTURED = 1_700_000_000_000_000
"""Microseconds: when the first frame is said to have been captured."""


def pictures(path: Path) -> list[tuple[float, bytes]]:
    """The JPEG files that an MJPEG recording consists of, and their times."""
    with av.open(str(path)) as container:
        packets = [
            (float(packet.pts * packet.time_base), bytes(packet))
            for packet in container.demux(video=0)
            if packet.pts is not None and packet.time_base is not None
        ]
    return [(time - packets[0][0], jpeg) for time, jpeg in packets]


def over_the_socket(
    models: VisionModels,
    path: Path,
    audio_models: AudioModels = DEAF,
    sound: tuple[float, Pcm] | None = None,
) -> list[dict[str, Any]]:
    """What a listener of a live session hears of its incidents.

    ``sound``: its beginning in seconds after the first picture, and its samples.
    """
    heard: list[dict[str, Any]] = []
    with running(models, audio_models) as live, live.socket("recorded/events") as events:
        with live.socket("recorded/video?observe=1") as video:
            for time, jpeg in pictures(path):
                video.send((CAPTURED + round(time * 1e6)).to_bytes(8, "big") + jpeg)
                assert receive_key(video, "observation")["time"] == pytest.approx(time, abs=1e-5)
                sleep(PACE)
            if sound is not None:
                begin, samples = sound
                start = CAPTURED + round(begin * 1e6)
                with live.socket(f"recorded/audio?observe=1&start={start}") as audio:
                    audio.send(samples.tobytes())
                    end, seen = begin + len(samples) / SAMPLE_RATE, 0.0
                    while seen < end - 0.6:
                        seen = receive_key(audio, "audio")["time"]
            with live.http as http:
                assert http.delete("/api/sessions/recorded").is_success
        with contextlib.suppress(ConnectionClosed):
            while True:
                heard += receive(events).get("incidents", [])
    return heard


def assert_same(heard: list[dict[str, Any]], changes: list[IncidentChange]) -> None:
    """One change after the other, of the same kinds at the same times."""
    assert [(i["kind"], i["state"], i["severity"]) for i in heard] == [
        (c.kind, c.state, c.severity) for c in changes
    ]
    for live, recorded in zip(heard, changes, strict=True):
        assert live["started_at"] == pytest.approx(recorded.started_at, abs=0.001)
        assert live["duration"] == pytest.approx(recorded.duration, abs=0.001)
        assert live["confidence"] == pytest.approx(recorded.confidence, abs=0.05)


@pytest.mark.e2e
def test_a_recording_and_a_live_session_of_the_same_frames_have_the_same_incidents(
    tmp_path: Path, vision_models: VisionModels
) -> None:
    clip = write_clip(tmp_path / "sitting.mkv", sitting(), codec="mjpeg")
    pipeline = Pipeline(shipped_policy("exam"), VisionAnalyser(vision_models))
    frames = list(analyse_video(clip, pipeline))
    changes = [change for analysed in frames for change in analysed.changes]
    changes += pipeline.finish(frames[-1].frame.time)
    assert {change.kind for change in changes} == {
        *("face.absent", "person.multiple", "camera.frozen", "camera.moved")
    }

    heard = over_the_socket(vision_models, clip)

    assert_same(heard, changes)


@pytest.mark.e2e
def test_a_recordings_sound_and_a_live_sessions_have_the_same_incidents_at_the_same_times(
    tmp_path: Path, vision_models: VisionModels, audio_models: AudioModels, two_voices: Pcm
) -> None:
    # The sound begins 0.7 s after the pictures, which begin at second 3 of the file.
    samples = two_voices[: 20 * SAMPLE_RATE]
    clip = tmp_path / "talk.mkv"
    write_clip_with_sound(clip, [(3 + n / 2, face()) for n in range(4)], 3.7, samples)
    pipeline = Pipeline(shipped_policy("exam"), VisionAnalyser(vision_models))
    track = AudioTrack(analyse_audio(clip, audio_models, origin=first_presentation_time(clip)))
    changes = [change for analysed in analyse_video(clip, pipeline) for change in analysed.changes]
    changes += [c for heard in track.until(1000.0) for c in pipeline.apply(heard)]
    changes += pipeline.finish(21.0)
    assert {change.kind for change in changes} == {"audio.multiple_speakers"}

    heard = over_the_socket(vision_models, clip, audio_models, (0.7, samples))

    # A burst of sound ends, and then nothing comes: that is the live session's own.
    live = [i for i in heard if i["kind"] != "session.connection_lost"]
    assert_same(live, changes)
    assert track.summary.voices == {1, 2}
