"""The CPU time that workers can get: one measurement at a time."""

from __future__ import annotations

import pytest

from proctoring.session.capacity import LEAST, Capacity, Use, next_capacity

NEVER_IDLE = Use(occupied=1.0, cpu=0.5, other_cpu=0.0, wait=0.2)
CALM = Use(occupied=0.3, cpu=0.3, other_cpu=0.0, wait=0.0)


def after(*uses: Use, workers: int = 1, cores: float = 1.0) -> Capacity:
    capacity = Capacity(float(workers))
    for use in uses:
        capacity = next_capacity(capacity, use, workers, cores)
    return capacity


def test_a_core_for_each_worker_is_theirs() -> None:
    assert after(CALM, workers=2, cores=4.0).cpu == 2.0


def test_more_workers_than_cores_can_get_no_more_than_these() -> None:
    assert after(CALM, workers=4, cores=2.0).cpu == 2.0


def test_what_other_threads_of_the_process_use_is_not_theirs() -> None:
    busy = Use(occupied=0.9, cpu=0.6, other_cpu=0.2, wait=0.2)
    assert after(*[busy] * 20).cpu == pytest.approx(0.8, abs=0.01)
    assert after(*[busy] * 20, cores=2.0).cpu == 1.0
    drowned = Use(occupied=0.9, cpu=0.1, other_cpu=1.0, wait=0.2)
    assert after(*[drowned] * 20).cpu == LEAST


def test_a_step_that_waits_for_a_core_now_and_then_takes_nothing_away() -> None:
    slow = Use(occupied=0.9, cpu=0.5, other_cpu=0.0, wait=0.2)
    assert after(*[slow] * 9).cpu == 1.0


def test_frames_that_do_not_wait_take_nothing_away() -> None:
    assert after(*[Use(occupied=1.0, cpu=0.5, other_cpu=0.0, wait=0.0)] * 9).cpu == 1.0


def test_workers_that_are_never_idle_have_all_that_they_can_get() -> None:
    assert after(NEVER_IDLE).cpu == 1.0, "one bad second is chance"
    assert after(NEVER_IDLE, CALM, NEVER_IDLE).cpu == 1.0
    assert after(NEVER_IDLE, NEVER_IDLE).cpu == 0.5


def test_it_is_kept_while_much_is_used_and_grows_while_little_is() -> None:
    much = Use(occupied=0.8, cpu=0.4, other_cpu=0.0, wait=0.0)
    assert after(NEVER_IDLE, NEVER_IDLE, *[much] * 9).cpu == 0.5
    contended = Use(occupied=0.6, cpu=0.3, other_cpu=0.0, wait=0.0)
    growing = after(NEVER_IDLE, NEVER_IDLE, contended)
    assert 0.5 < growing.cpu < 0.55, "a running step gets half a core, still"
    free = after(NEVER_IDLE, NEVER_IDLE, *[CALM] * 4)
    assert free.cpu == 1.0, "a running step gets a whole core"


def test_nothing_at_all_is_no_measurement() -> None:
    idle = Use(occupied=0.0, cpu=0.0, other_cpu=0.0, wait=0.0)
    assert after(NEVER_IDLE, NEVER_IDLE, *[idle] * 4).cpu == 1.0
