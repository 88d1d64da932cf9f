"""The load generator: real sessions against a real server process, and what it makes of them."""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from benchmarks.load.__main__ import Media, largest
from benchmarks.load.clients import Job, Run, hold
from benchmarks.load.figures import Peer, figures, table
from benchmarks.load.scenes import MIX, SCENES, clips_of
from benchmarks.served import serving

QUIET = Run(
    2,
    10.0,
    sent=200,
    latencies=[0.02] * 199,
    late=[0.001] * 200,
    server_cpu=4.0,
    memory=700 << 20,
    counted={
        "frame_latency_seconds_count": 199.0,
        "frames_replaced": 1.0,
        'analysis_seconds_sum{analyser="decode"}': 0.4,
        'incident_changes{kind="gaze.left",state="started"}': 3.0,
        'incident_changes{kind="gaze.left",state="ended"}': 2.0,
    },
)
"""Two sessions of ten seconds that cost 200 ms each per second, with one frame replaced."""


def test_a_mix_is_mostly_still_and_shows_every_recording_of_a_scene() -> None:
    shown = Counter(clips_of(MIX, 20))
    still = sum(shown[clip] for clip in SCENES["still"])
    assert still == 12
    assert all(shown[clip] for clip in SCENES["still"] + SCENES["reading"])
    assert len(set(clips_of("talking", 2))) == 2


@pytest.mark.parametrize("capacity", [0, 1, 2, 5, 8, 13])
def test_the_largest_number_carried_is_found_in_few_tries(capacity: int) -> None:
    tried: list[int] = []

    def carries(sessions: int) -> bool:
        tried.append(sessions)
        return sessions <= capacity

    assert largest(carries) == capacity
    assert len(tried) == len(set(tried)) <= 8


def test_figures_are_per_session_and_second() -> None:
    found = figures("still", 0.05, QUIET, load=1.0)
    assert found.cpu == pytest.approx(200)
    assert (found.analysed, found.replaced, found.incidents) == (199, 1, {"gaze.left": 3})
    assert found.parts == {"decode": pytest.approx(20)}
    assert found.carries_it()
    assert not found.carries_it(by_server=True), "it never said how long it took"
    peer = Peer(decode=15.0, landmarks=200.0, objects=80.0, voice=5.0)
    assert "| still | talk 5% | 2 | 200 | 300 | 1.50 |" in table([found], {"still": peer})


@pytest.mark.parametrize(
    "run",
    [
        replace(QUIET, latencies=[0.02] * 180 + [0.2] * 19),
        replace(QUIET, latencies=[0.02] * 190),
        replace(QUIET, latencies=[]),
        replace(QUIET, counted={"frames_replaced": 2.0}),
    ],
    ids=["late", "not observed", "nothing observed", "replaced"],
)
def test_a_server_that_is_late_or_loses_frames_does_not_carry_it(run: Run) -> None:
    assert not figures("still", None, run, load=1.0).carries_it()


@pytest.mark.e2e
@pytest.mark.timeout(300)
def test_a_session_with_pictures_and_sound_is_held_and_measured(
    shared_data: Path, tmp_path: Path
) -> None:
    media = Media(shared_data, tmp_path / "cache", seconds=10.0, noise=1.5)
    candidates = media.candidates("still", 0.5, 1)
    with serving(tmp_path / "server.log") as (server, address):
        run = asyncio.run(hold(Job(address, server.pid, candidates, warm=2.0, seconds=4.0)))
    # How many of them were analysed is the machine's to say: it may be busy.
    assert run.sent > 20
    found = figures("still", 0.5, run, load=0.0)
    assert found.observed > 0
    assert found.analysed > 0
    assert found.refused == 0
    assert found.cpu > 0
    assert found.memory > 100
