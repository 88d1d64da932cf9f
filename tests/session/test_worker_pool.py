"""Worker threads, serial queues, their turns and rates."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from threading import Barrier, Event, Lock, get_ident

import pytest

from proctoring.session.load import Demand
from proctoring.session.worker_pool import Clocks, WorkerPool

TIMEOUT = 60.0


def wait_for(gate: Event) -> None:
    gate.wait(TIMEOUT)


@contextmanager
def started(workers: int, clock: Callable[[], float] | None = None) -> Iterator[WorkerPool]:
    """A pool that runs; by a clock of the test's own, steps compute all the time."""
    clocks = None if clock is None else Clocks(clock, clock, lambda: 0.0)
    pool = WorkerPool(workers, clocks=clocks)
    pool.start()
    try:
        yield pool
    finally:
        assert pool.stop(TIMEOUT)


def test_two_workers_serve_two_queues_at_the_same_moment() -> None:
    meeting = Barrier(2)  # passes only when both steps run at once
    met = [Event(), Event()]
    with started(2) as pool:
        for event in met:

            def step(event: Event = event) -> None:
                meeting.wait(TIMEOUT)
                event.set()

            pool.serial_queue(step).schedule()
        assert all(event.wait(TIMEOUT) for event in met)


def test_one_queue_is_never_served_by_two_threads_at_once() -> None:
    lock, overlaps, runs, enough = Lock(), [], Counter[int](), Event()
    with started(4) as pool:

        def step() -> None:
            if not lock.acquire(blocking=False):
                overlaps.append(get_ident())
                return
            time.sleep(0.0005)  # gives the others a chance to break in
            runs[get_ident()] += 1
            lock.release()
            if runs.total() >= 50:
                enough.set()

        queue = pool.serial_queue(step)
        while not enough.is_set():
            queue.schedule()
    assert not overlaps
    assert runs.total() >= 50


def test_scheduling_while_the_step_runs_means_one_more_run() -> None:
    running, go_on, again = Event(), Event(), Event()
    runs = 0
    with started(1) as pool:

        def step() -> None:
            nonlocal runs
            runs += 1
            if runs == 1:
                running.set()
                go_on.wait(TIMEOUT)
            else:
                again.set()

        queue = pool.serial_queue(step)
        queue.schedule()
        assert running.wait(TIMEOUT)
        for _ in range(5):
            queue.schedule()
        go_on.set()
        assert again.wait(TIMEOUT)
    assert runs == 2


def test_queues_take_turns_however_often_one_is_scheduled() -> None:
    order: list[str] = []
    gate, done = Event(), Event()
    with started(1) as pool:
        blocker = pool.serial_queue(partial(wait_for, gate))

        def step(name: str) -> None:
            order.append(name)
            queues["greedy"].schedule()
            if len(order) >= 7:
                done.set()

        queues = {
            name: pool.serial_queue(partial(step, name)) for name in ("greedy", "b", "c", "d")
        }
        blocker.schedule()
        for _ in range(10):
            queues["greedy"].schedule()
        for name in ("b", "c", "d"):
            queues[name].schedule()
        gate.set()
        assert done.wait(TIMEOUT)
    assert order[:5] == ["greedy", "b", "c", "d", "greedy"]


def test_a_step_that_fails_costs_nobody_else_their_worker() -> None:
    done = Event()

    def fails() -> None:
        raise RuntimeError("on purpose")

    with started(1) as pool:
        broken = pool.serial_queue(fails)
        broken.schedule()
        pool.serial_queue(done.set).schedule()
        assert done.wait(TIMEOUT)
        broken.schedule()
    assert pool.failures >= 1


def test_a_closed_queue_runs_no_more() -> None:
    gate, after = Event(), Event()
    ran: list[str] = []
    with started(1) as pool:
        pool.serial_queue(partial(wait_for, gate)).schedule()
        queue = pool.serial_queue(lambda: ran.append("closed"))
        queue.schedule()
        queue.close()
        queue.schedule()
        pool.serial_queue(after.set).schedule()
        gate.set()
        assert after.wait(TIMEOUT)
    assert not ran


def test_stopping_waits_for_what_runs_and_drops_what_waits() -> None:
    running, scheduled, ran = Event(), Event(), []
    pool = WorkerPool(1)
    pool.start()

    def slow() -> None:
        running.set()
        scheduled.wait(TIMEOUT)
        while pool.waiting:  # until the pool is being stopped
            time.sleep(0.001)
        ran.append("slow")

    pool.serial_queue(slow).schedule()
    assert running.wait(TIMEOUT)
    pool.serial_queue(lambda: ran.append("waiting")).schedule()
    scheduled.set()
    assert pool.stop(TIMEOUT)
    assert ran == ["slow"]


def test_all_rates_fall_while_sessions_wait_for_busy_workers_and_rise_when_they_do_not() -> None:
    now = 0.0
    gate, running, done = Event(), Event(), Event()
    with started(1, clock=lambda: now) as pool:

        def step() -> None:
            running.set()
            gate.wait(TIMEOUT)

        busy = pool.serial_queue(step)
        busy.schedule()
        assert running.wait(TIMEOUT)
        waits = pool.serial_queue(done.set)
        waits.schedule()
        now = 1.0  # for a second the only worker worked, and another queue waited
        pool.update_rates()
        assert pool.demand == Demand(wait=1.0, busy=1.0)
        assert pool.rate == waits.decided().rate == 0.4
        assert busy.decided().rate == 0.4
        gate.set()
        assert done.wait(TIMEOUT)
        for second in range(60):
            now = 60.0 + second
            pool.update_rates()
        assert pool.rate == busy.decided().rate == waits.decided().rate == 1.0


def test_a_session_that_is_too_much_for_one_worker_lowers_its_own_rate_alone() -> None:
    now = 0.0
    gate, running = Event(), Event()
    with started(4, clock=lambda: now) as pool:

        def step() -> None:
            running.set()
            gate.wait(TIMEOUT)

        heavy, light = pool.serial_queue(step), pool.serial_queue(lambda: None)
        heavy.schedule()
        assert running.wait(TIMEOUT)
        heavy.schedule()  # the next frame is here already
        now = 1.0
        pool.update_rates()
        assert (heavy.decided().rate, light.decided().rate, pool.rate) == (0.4, 1.0, 1.0)
        gate.set()


def test_who_waits_for_its_answer_before_it_sends_again_is_never_slowed_down() -> None:
    now = 0.0
    with started(1, clock=lambda: now) as pool:

        def step() -> None:
            nonlocal now
            now += 0.5  # each takes long, and the machine lets a thread sleep long
            done.set()

        queue, done = pool.serial_queue(step), Event()
        for _ in range(20):
            done.clear()
            queue.schedule()
            assert done.wait(TIMEOUT)
            pool.update_rates()
        assert pool.demand.busy == 1.0
        assert queue.decided().rate == 1.0


def test_rates_are_set_once_a_period() -> None:
    now = 0.0
    gate, running = Event(), Event()
    with started(1, clock=lambda: now) as pool:

        def step() -> None:
            running.set()
            gate.wait(TIMEOUT)

        pool.serial_queue(step).schedule()
        assert running.wait(TIMEOUT)
        pool.serial_queue(step).schedule()
        levels = []
        for _ in range(8):
            now += 0.25
            pool.update_rates()
            levels.append(pool.rate)
        assert levels == pytest.approx([1.0] * 3 + [0.4] * 4 + [0.16])
        gate.set()


def test_background_queues_never_have_all_workers() -> None:
    going, gate, served = Event(), Event(), Event()

    def slow() -> None:
        going.set()
        gate.wait(TIMEOUT)

    with started(2) as pool:
        for _ in range(3):
            pool.serial_queue(slow, background=True).schedule()
        assert going.wait(TIMEOUT)
        for _ in range(20):
            served.clear()
            pool.serial_queue(served.set).schedule()
            assert served.wait(TIMEOUT)
        assert pool.waiting == 2
        gate.set()


def served_in_order(waited: float) -> list[str]:
    """The order in which the only worker serves six queues that have all waited so long."""
    now = 0.0
    order: list[str] = []
    going, gate, done = Event(), Event(), Event()

    def blocks() -> None:
        going.set()
        gate.wait(TIMEOUT)

    def step(name: str) -> None:
        order.append(name)
        if len(order) == 6:
            done.set()

    with started(1, clock=lambda: now) as pool:
        pool.serial_queue(blocks).schedule()
        assert going.wait(TIMEOUT)
        for name in ("slow 1", "slow 2", "slow 3"):
            pool.serial_queue(partial(step, name), background=True).schedule()
        for name in ("quick 1", "quick 2", "quick 3"):
            pool.serial_queue(partial(step, name)).schedule()
        now = waited
        gate.set()
        assert done.wait(TIMEOUT)
    return order


def test_background_queues_wait_while_others_are_ready() -> None:
    assert served_in_order(0.5) == ["quick 1", "quick 2", "quick 3", "slow 1", "slow 2", "slow 3"]


def test_background_queues_that_waited_long_have_every_other_turn() -> None:
    order = ["slow 1", "quick 1", "slow 2", "quick 2", "slow 3", "quick 3"]
    assert served_in_order(1.5) == order


def test_a_background_queue_that_goes_on_keeps_its_place() -> None:
    """Its steps need not each wait: once overdue, they have every other turn."""
    now = 0.0
    order: list[str] = []
    going, gate, done = Event(), Event(), Event()

    def blocks() -> None:
        going.set()
        gate.wait(TIMEOUT)

    def quick() -> None:
        order.append("quick")
        if len(order) < 9:
            frames.schedule()  # there is always another one
        else:
            done.set()

    def slow() -> None:
        order.append("slow")
        if order.count("slow") < 3:
            look.reschedule()

    def newcomer() -> None:
        order.append("newcomer")

    with started(1, clock=lambda: now) as pool:
        pool.serial_queue(blocks).schedule()
        assert going.wait(TIMEOUT)
        look, frames = pool.serial_queue(slow, background=True), pool.serial_queue(quick)
        look.schedule()
        now = 0.5
        pool.serial_queue(newcomer, background=True).schedule()
        frames.schedule()
        now = 1.2
        gate.set()
        assert done.wait(TIMEOUT)
    assert order[:9] == [*["slow", "quick"] * 3, *["quick"] * 3]


def test_the_waits_of_background_queues_lower_nobodys_rate() -> None:
    now = 0.0
    going, gate, done = Event(), Event(), Event()

    def blocks() -> None:
        going.set()
        gate.wait(TIMEOUT)

    with started(1, clock=lambda: now) as pool:
        pool.serial_queue(blocks).schedule()
        assert going.wait(TIMEOUT)
        pool.serial_queue(done.set, background=True).schedule()
        now = 1.0
        pool.update_rates()
        assert pool.demand == Demand(wait=0.0, busy=1.0)
        assert pool.rate == 1.0
        gate.set()
        assert done.wait(TIMEOUT)
        now = 2.0
        pool.update_rates()
        assert pool.demand.wait == 0.0


def test_a_background_queue_that_was_closed_while_it_waited_runs_no_more() -> None:
    going, gate, after = Event(), Event(), Event()
    ran: list[str] = []

    def blocks() -> None:
        going.set()
        gate.wait(TIMEOUT)

    with started(1) as pool:
        pool.serial_queue(blocks).schedule()
        assert going.wait(TIMEOUT)
        queue = pool.serial_queue(lambda: ran.append("closed"), background=True)
        queue.schedule()
        queue.close()
        assert pool.waiting == 0
        pool.serial_queue(after.set, background=True).schedule()
        gate.set()
        assert after.wait(TIMEOUT)
    assert not ran
