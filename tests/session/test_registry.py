"""All sessions of a process: bounds, ends, names used again, and nothing left behind."""

from __future__ import annotations

import gc
import threading
import time
import weakref
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import numpy as np
import psutil
import pytest
import simplejpeg
from tests.session.conftest import BLIND, DEAF, TIMEOUT, FakeSocket

from proctoring.delivery.journal import MemoryJournal
from proctoring.delivery.outbox import Outbox
from proctoring.errors import (
    BadSessionIdError,
    SessionClosingError,
    SessionExistsError,
    TooManyError,
)
from proctoring.judgement.policy import shipped_policy
from proctoring.records.entries import SittingEnded
from proctoring.session.factory import SessionLimits, SessionServices
from proctoring.session.lifetime import Lifetime
from proctoring.session.registry import MAX_REMEMBERED, Registry
from proctoring.session.session import Session
from proctoring.session.session_metrics import SessionMetrics
from proctoring.session.worker_pool import WorkerPool
from proctoring.storage.memory import MemoryStorage
from proctoring.vision.networks import VisionModels

EXAM = shipped_policy("exam")


@pytest.fixture
def make(pool: WorkerPool, metrics: SessionMetrics) -> Callable[..., Registry]:
    def registry(**options: Any) -> Registry:
        services: dict[str, Any] = {
            "vision": BLIND,
            "audio": DEAF,
            "pool": pool,
            "storage": MemoryStorage(Outbox(MemoryJournal()), "no database"),
            "metrics": metrics,
            "wall": lambda: datetime(2026, 1, 2, 10, tzinfo=UTC),
        }
        limits: dict[str, Any] = {
            "max_sessions": 10,
            "admission_by_load": False,
            "lifetime": Lifetime(grace=30, patience=600),
            "keep_events": 60.0,
            "max_pixels": 1 << 24,
        }
        for known in (services, limits):
            known |= {name: options.pop(name) for name in known.keys() & options.keys()}
        assert not options
        return Registry(SessionServices(**services), SessionLimits(**limits))

    return registry


def test_a_session_is_found_until_it_ends(make: Callable[..., Registry]) -> None:
    registry = make()
    session = registry.begin("a", EXAM, 0.0)
    assert registry.find("a") is session
    assert list(registry) == [session]
    assert registry.end("a", "over", 1.0) is session
    assert registry.find("a") is None
    assert registry.end("a", "again", 2.0) is None
    session.done.result(TIMEOUT)
    assert registry.closing("a") is None
    assert registry.is_remembered("a")


def test_names_and_numbers_are_bounded(make: Callable[..., Registry]) -> None:
    registry = make(max_sessions=2)
    registry.begin("a", EXAM, 0.0)
    with pytest.raises(SessionExistsError, match="a is open already"):
        registry.begin("a", EXAM, 0.0)
    with pytest.raises(BadSessionIdError):
        registry.begin("a/b", EXAM, 0.0)
    registry.begin("b", EXAM, 0.0)
    with pytest.raises(TooManyError, match="2 sessions are open"):
        registry.begin("c", EXAM, 0.0)


def test_a_name_may_be_used_again_once_its_session_is_over(make: Callable[..., Registry]) -> None:
    registry = make()
    first = registry.begin("a", EXAM, 0.0)
    registry.end("a", "over", 1.0)
    first.done.result(TIMEOUT)
    assert registry.closing("a") is None
    second = registry.begin("a", EXAM, 2.0, awaited=True)
    assert second is not first
    registry.tick(120.0)  # what is due for the first does not touch the second
    assert registry.find("a") is second
    assert not registry.is_remembered("a")


def test_a_name_whose_session_is_still_being_written_can_be_used_again_later(
    make: Callable[..., Registry],
) -> None:
    class Stuck(Outbox):
        def end(self, ending: SittingEnded) -> Future[None]:  # noqa: ARG002  (its own)
            return Future()

    registry = make(storage=MemoryStorage(Stuck(MemoryJournal()), "no database"))
    registry.begin("exam-7", EXAM, 0.0)
    registry.end("exam-7", "over", 1.0)
    with pytest.raises(SessionClosingError) as refused:
        registry.begin("exam-7", EXAM, 2.0)
    assert refused.value.retryable
    # Clients log why a socket is refused, and an id may name a person.
    assert "exam-7" not in refused.value.detail


def test_ticks_end_sessions_that_nobody_wants(make: Callable[..., Registry]) -> None:
    registry = make()
    abandoned = registry.begin("a", EXAM, 0.0)
    awaited = registry.begin("b", EXAM, 0.0, awaited=True)
    registry.tick(31.0)
    abandoned.done.result(TIMEOUT)
    assert list(registry) == [awaited]


def test_an_ended_session_is_remembered_for_a_while(make: Callable[..., Registry]) -> None:
    registry = make()
    session = registry.begin("a", EXAM, 0.0)
    registry.end("a", "over", 10.0)
    session.done.result(TIMEOUT)
    registry.tick(69.0)
    assert registry.is_remembered("a")
    registry.tick(70.0)
    assert not registry.is_remembered("a")


@pytest.mark.slow
def test_no_more_ended_sessions_are_remembered_than_the_bound(
    make: Callable[..., Registry],
) -> None:
    journal = MemoryJournal()
    registry = make(storage=MemoryStorage(Outbox(journal), "no database"), keep_events=1e9)
    for i in range(MAX_REMEMBERED + 50):
        session = registry.begin(f"s{i}", EXAM, float(i))
        registry.end(f"s{i}", "over", float(i))
        session.done.result(TIMEOUT)
        registry.tick(float(i))
    assert not registry.is_remembered("s0")
    assert registry.is_remembered(f"s{MAX_REMEMBERED}")
    assert len(journal) == MAX_REMEMBERED


@pytest.mark.slow
def test_a_thousand_sessions_leave_no_memory_no_threads_and_no_files_behind(
    make: Callable[..., Registry], vision_models: VisionModels
) -> None:
    journal = MemoryJournal()
    faces_alone = replace(vision_models, objects=None)
    registry = make(
        vision=faces_alone, storage=MemoryStorage(Outbox(journal), "no database"), keep_events=0.0
    )
    grey = bytes(simplejpeg.encode_jpeg(np.full((64, 64, 3), 90, np.uint8)))
    process = psutil.Process()
    alive: weakref.WeakSet[Session] = weakref.WeakSet()

    def make_session(number: int) -> None:
        socket = FakeSocket()
        session = registry.begin(f"s{number}", EXAM, float(number))
        alive.add(session)
        session.attach_video(socket, float(number))
        session.receive_frame(grey, None, socket, float(number))
        socket.next()
        registry.end(f"s{number}", "over", float(number))
        session.done.result(TIMEOUT)
        registry.tick(float(number))

    def held() -> tuple[int, int, int]:
        gc.collect()
        return process.memory_info().rss, threading.active_count(), process.num_fds()

    for number in range(100):  # what is set up on first use
        make_session(number)
    memory, threads, files = held()
    for number in range(100, 1100):
        make_session(number)
    until_collected(alive)
    memory_after, threads_after, files_after = held()
    assert (threads_after, files_after) == (threads, files)
    assert memory_after - memory < 16 << 20
    assert len(alive) == 0
    assert len(journal) == len(registry) == 0


def until_collected(alive: weakref.WeakSet[Session]) -> None:
    """The worker may be about to let go of the last one."""
    end = time.monotonic() + TIMEOUT
    while len(alive) > 0 and time.monotonic() < end:
        gc.collect()
        time.sleep(0.01)
