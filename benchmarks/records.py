"""Records: speed of writing events, and of writing and opening a day of a hundred sessions.

``python -m benchmarks.records events [--database URL]`` and ``... day [--sessions 100] [--hours 24]``.
Without a database: SQLite in a temporary folder, below ``--folder`` if given.
``python -m benchmarks.records signals VIDEO...``: size of the signals of real clips.
"""

from __future__ import annotations

import argparse
import os
import random
import time
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

import msgpack
import numpy as np
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import insert

from proctoring.audio.networks import AudioModels
from proctoring.delivery.outbox import Outbox
from proctoring.delivery.recorded import RecordedJournal
from proctoring.incidents import IncidentChange, IncidentState, Severity
from proctoring.judgement.policy import shipped_policy
from proctoring.models.store import ModelStore
from proctoring.observations import (
    AudioObservation,
    Box,
    Candidate,
    Detection,
    Face,
    FrameObservation,
    Gaze,
    HeadPose,
    ImageQuality,
    InjectionIndicators,
    Liveness,
    ObjectDetections,
    Observation,
)
from proctoring.recording.video_track import analyse_video
from proctoring.records.archive import Archive, open_archive
from proctoring.records.database import writing
from proctoring.records.entries import (
    Entry,
    PendingEvent,
    SittingEnded,
    SittingRef,
    SittingStarted,
    sitting_ref,
)
from proctoring.records.packing import pack
from proctoring.records.plot import join, summarise
from proctoring.records.signal_segments import CURVE_SEGMENTS
from proctoring.records.signals import SEGMENT_SECONDS
from proctoring.records.tables import SignalCurveRow, SignalSegmentRow
from proctoring.server.app import create_app
from proctoring.server.service import Service
from proctoring.session.loaded_models import Models
from proctoring.session.pipeline import Pipeline
from proctoring.settings import Settings
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.networks import VisionModels, load_vision_models

DISTINCT = 90
"""Different segments of signals; a day repeats them, each at its own time."""

BEGAN = datetime(2026, 1, 2, 8, tzinfo=UTC)


def main() -> None:
    """Run the chosen measurement."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=["events", "day", "signals"])
    parser.add_argument("videos", nargs="*", type=Path)
    parser.add_argument("--database", default=None)
    parser.add_argument("--sessions", type=int, default=100)
    parser.add_argument("--hours", type=float, default=24)
    parser.add_argument("--folder", type=Path, default=None)
    arguments = parser.parse_args()
    if arguments.what == "signals":
        signals(arguments.videos)
        return
    with TemporaryDirectory(prefix="proctoring-benchmark-", dir=arguments.folder) as folder:
        archive = open_archive(arguments.database, Path(folder), BEGAN)
        if arguments.what == "events":
            events(archive, arguments.sessions)
        else:
            day(archive, arguments.sessions, arguments.hours)
            archive.engine.dispose()
            opened(arguments.database, Path(folder), arguments.sessions)
        archive.engine.dispose()


def message(sitting: SittingRef, number: int, at: float, state: IncidentState) -> PendingEvent:
    """A change of an incident, as a session publishes it."""
    change = IncidentChange(
        number=number,
        kind=("gaze.left", "head.down", "face.absent")[number % 3],
        label=("Looking Left", "Head Down", "No Face Detected")[number % 3],
        state=state,
        severity=Severity.WARNING,
        confidence=0.91,
        started_at=at - 2,
        duration=2.0,
        reason="gaze 31 degrees left for 2.0 s (limit 2.0 s)",
        alerts=state is IncidentState.STARTED,
    )
    return PendingEvent(sitting, sitting.started_at + timedelta(seconds=at), at, (change,))


def begun(sitting: SittingRef) -> SittingStarted:
    """The entry that starts a sitting."""
    policy = shipped_policy("exam")
    return SittingStarted(sitting, False, policy.name, policy.to_toml(), "seed")


def events(archive: Archive, sessions: int) -> None:
    """Print the time from publishing to a listener's queue, stored on disk in between."""
    for rate in (10, 200, None):
        _events(archive, sessions, rate, 3000)


def _events(archive: Archive, sessions: int, rate: int | None, count: int) -> None:
    outbox = Outbox(RecordedJournal(archive.writer(), archive.reader))
    outbox.start()
    sittings = [sitting_ref(f"s{n}-{rate}", BEGAN) for n in range(sessions)]
    for sitting in sittings:
        outbox.begin(begun(sitting)).result(60)
    count = min(count, 10 * (rate or count))
    told: list[float] = []
    publishing: list[float] = []

    def note(started: float, _: object) -> None:
        told.append(time.perf_counter() - started)

    def publish(own: int) -> None:
        for n in range(own, count, 2):
            started = time.perf_counter()
            done = outbox.publish(
                message(sittings[n % sessions], n // sessions + 1, 9.0, IncidentState.STARTED)
            )
            publishing.append(time.perf_counter() - started)
            done.add_done_callback(partial(note, started))
            if rate:
                time.sleep(2 / rate)

    began = time.perf_counter()
    threads = [Thread(target=publish, args=(own,)) for own in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outbox.stop(120)
    elapsed = time.perf_counter() - began
    assert outbox.lost == 0
    assert len(told) == count
    print(
        f"{rate or 'as many as possible'} events/s offered: {count / elapsed:.0f}/s written; to the listener "
        f"{_ms(told, 0.5)} ms median, {_ms(told, 0.99)} ms p99; "
        f"publisher blocked {_ms(publishing, 0.99)} ms p99"
    )


def _ms(values: list[float], share: float) -> float:
    return round(sorted(values)[int(share * (len(values) - 1))] * 1000, 2)


def observed(start: float, dice: random.Random) -> Iterator[Observation]:
    """Synthetic observations of one signal segment, with noise in every value."""
    noise = dice.gauss
    for n in range(int(SEGMENT_SECONDS * 10)):
        at = start + n / 10 + dice.uniform(0, 0.02)
        left, top = 140 + noise(0, 2), 160 + noise(0, 2)
        slow = n % 10 == 0
        person = Detection("person", 0.9 + noise(0, 0.01), Box(left, top, left + 300, top + 400))
        living = Liveness(1, 0.98 + noise(0, 0.01), "minifasnet_v2", 5, None, 0.05, 0.0, 12.0)
        yield FrameObservation(
            at,
            640,
            480,
            (Face(1, Box(left, top, left + 200, top + 260), 1 - abs(noise(0, 1e-6))),),
            Candidate(
                1,
                HeadPose(noise(0, 5), noise(0, 5), noise(0, 2)),
                Gaze(noise(0, 8), noise(0, 6), 0.9 + noise(0, 0.01)),
                True,
            ),
            ObjectDetections((), (person,), "ssd_mobilenet_v2") if slow else None,
            (),
            ImageQuality(111 + noise(0, 1), 0.0, 21 + noise(0, 0.1), 3.5 + noise(0, 0.1)),
            living if slow else None,
            InjectionIndicators(0.0, True, None) if n % 2 else None,
        )
        if n % 5 == 0:
            yield AudioObservation(at, 0.5, max(0.0, noise(0, 0.3)), -40 + noise(0, 5), None)


def signals(videos: list[Path]) -> None:
    """Print the size of what is stored of real clips."""
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    models = load_vision_models(store, object_model=settings.object_model)
    seconds, count, data, plot, spent = 0.0, 0, 0, 0, 0.0
    for video in videos:
        pipeline = Pipeline(shipped_policy("exam"), VisionAnalyser(models))
        seen = [analysed.analysis.observation for analysed in analyse_video(video, pipeline)]
        seconds += seen[-1].time - seen[0].time
        pieces = [
            list(group) for _, group in groupby(seen, lambda item: item.time // SEGMENT_SECONDS)
        ]
        for piece in pieces:
            began = time.process_time()
            packed = pack(piece)
            spent += time.process_time() - began
            data += len(packed)
            plot += len(summarise(piece))
        count += len(seen)
    print(
        f"{count} observations of {seconds:.0f} s in {len(videos)} clips: {data / seconds * 0.0036:.2f} MB "
        f"of signals and {plot / seconds * 0.0036:.2f} MB of curves an hour; "
        f"{spent / count * 1e6:.0f} us of CPU to pack each"
    )


def day(archive: Archive, sessions: int, hours: float) -> None:
    """Write the records of so many sessions with the same observations, and print the time."""
    dice = random.Random(7)
    seconds = hours * 3600
    began = time.perf_counter()
    distinct = []
    for _ in range(DISTINCT):
        items = list(observed(0.0, dice))
        distinct.append((len(items), pack(items), summarise(items)))
    pieces: list[dict[str, Any]] = []
    curves: list[dict[str, Any]] = []
    parts: list[dict[str, Any]] = []
    for number in range(int(seconds / SEGMENT_SECONDS)):
        count, data, plot = distinct[number % DISTINCT]
        start, end = number * SEGMENT_SECONDS, (number + 1) * SEGMENT_SECONDS
        row = {"start_media_time": start, "end_media_time": end}
        pieces.append({**row, "number": number, "input_count": count, "data": data})
        parts.append({**row, "last_segment": number, "data": _later(plot, int(start))})
        if len(parts) == CURVE_SEGMENTS:
            first = parts[0]["start_media_time"]
            joined = {"start_media_time": first, "data": join([part["data"] for part in parts])}
            curves.append({**parts[-1], **joined})
            parts = []
    curves += parts
    size = sum(len(piece["data"]) for piece in (*pieces, *curves))
    elapsed = time.perf_counter() - began
    each = elapsed / DISTINCT * 1000
    print(
        f"{size / hours / 1e6:.2f} MB of signals an hour; {each:.0f} ms to pack {SEGMENT_SECONDS:g} s"
    )
    began = time.perf_counter()
    journal, count = RecordedJournal(archive.writer(), archive.reader), 0
    for n in range(sessions):
        sitting = sitting_ref(f"day-{n}", BEGAN + timedelta(seconds=n))
        entries: list[Entry] = [begun(sitting)]
        for number in range(1, int(seconds / 60) + 1):
            for offset, state in ((0.0, IncidentState.STARTED), (5.0, IncidentState.ENDED)):
                entries.append(message(sitting, number, number * 60 + offset, state))
        entries.append(SittingEnded(sitting, BEGAN, seconds, "ended"))
        count += len(entries) - 2

        for first in range(0, len(entries), 1000):
            journal.write(entries[first : first + 1000])
        name = sitting.id
        for table, kept in ((SignalSegmentRow, pieces), (SignalCurveRow, curves)):
            for first in range(0, len(kept), 500):
                rows = [{"sitting_id": name, **piece} for piece in kept[first : first + 500]]
                with writing(archive.engine) as connection:
                    connection.execute(insert(table), rows)
    elapsed = time.perf_counter() - began
    print(
        f"{sessions} sessions, {hours:g} h: {count} events and {sessions * size / 1e9:.2f} GB of "
        f"signals written in {elapsed:.0f} s"
    )


def _later(plot: bytes, seconds: int) -> bytes:
    """The same curves, shifted by ``seconds``."""
    curves = msgpack.unpackb(zlib.decompress(plot))
    for curve in curves.values():
        curve[0] = (np.frombuffer(curve[0], np.int32) + seconds).astype(np.int32).tobytes()
    return zlib.compress(msgpack.packb(curves))


def forgotten(folder: Path) -> None:
    """Evict SQLite's files from the page cache, as for a sitting that was not opened for long."""
    for file in folder.glob("records.sqlite3*"):
        with file.open("rb") as opened:
            os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def opened(database: str | None, folder: Path, sessions: int) -> None:
    """Print the time to open one of them over the REST interface, read from the disk."""
    os.sync()  # pages that are not written yet cannot be evicted
    chosen = None if database is None else SecretStr(database)
    service = Service(
        Settings(data_folder=folder, database=chosen),
        models=Models(VisionModels(None, None, ()), AudioModels(None, None, ())),
    )
    with TestClient(create_app(service=service), base_url="http://127.0.0.1:8000") as http:
        for path in ("?limit=50", "/{}", "/{}/signals?points=1000", "/{}/events?limit=1000"):
            spent = []
            for n in range(5):
                name = {"session_id": f"day-{n * 7 % sessions}"}
                listed = http.get("/api/records/sittings", params=name)
                sitting = listed.json()["sittings"][0]["id"]
                forgotten(folder)
                began = time.perf_counter()
                answer = http.get("/api/records/sittings" + path.format(sitting))
                spent.append(time.perf_counter() - began)
                assert answer.status_code == 200, answer.text
            print(
                f"GET /api/records/sittings{path.format('ID')}: {_ms(spent, 0.5)} ms median, "
                f"{_ms(spent, 1.0)} ms longest, {len(answer.content) / 1000:.0f} kB"
            )


if __name__ == "__main__":
    main()
