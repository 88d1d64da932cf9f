"""When a room needs an agent, on a clock of the test's own."""

from __future__ import annotations

import itertools

from proctoring.livekit.watch import LONGEST_SETTLE, CandidateView, RoomView, Watch

PERIOD = 3.0


def room(
    *fed: bool | None, agents: int = 0, dispatch: str = "AD_1", name: str = "exam"
) -> RoomView:
    return RoomView(name, dispatch, agents, tuple(map(CandidateView, fed)))


def looks(watch: Watch, view: RoomView, times: int, start: float = 0.0) -> list[float]:
    """When the agent was dispatched to the room."""
    moments = [start + PERIOD * number for number in range(times)]
    return [now for now in moments if watch.look([view], now)]


def test_who_is_proctored_needs_nobody() -> None:
    assert not room(True, agents=1).is_unattended
    assert not room(True, agents=0).is_unattended  # by an application, without an agent


def test_a_room_without_an_agent_gets_one_within_20_s() -> None:
    dispatched = looks(Watch(), room(None), 5)
    # And at most 4 s to the first look: the agent has 10 s to begin.
    assert dispatched[0] <= 6.0


def test_a_session_that_lost_its_agent_gets_one_although_livekit_still_counts_it() -> None:
    assert room(False, agents=1).is_unattended
    assert looks(Watch(), room(False, agents=1), 3) == [6.0]


def test_a_session_that_was_ended_while_its_agent_stays_is_not_begun_anew() -> None:
    assert not room(None, agents=1).is_unattended


def test_one_candidate_without_an_agent_is_enough() -> None:
    assert room(True, False, agents=1).is_unattended


def test_one_look_is_not_enough() -> None:
    watch = Watch()
    assert looks(watch, room(True, agents=1), 5) == []
    assert watch.look([room(False, agents=1)], 20.0) == []
    assert watch.look([room(True, agents=1)], 24.0) == []
    assert watch.look([room(False, agents=1)], 28.0) == []
    assert watch.look([room(False, agents=1)], 32.0) == ["exam"]


def test_a_dispatch_by_somebody_else_has_its_time() -> None:
    watch = Watch()
    assert looks(watch, room(None), 2) == []
    view = room(None, dispatch="AD_2")
    assert watch.look([view], 6.0) == []
    assert watch.look([view], 9.0) == []
    assert watch.look([view], 12.0) == ["exam"]


def test_dispatches_to_no_effect_become_rarer() -> None:
    dispatched = looks(Watch(), room(None), 200)
    pauses = [after - before for before, after in itertools.pairwise(dispatched)]
    assert pauses[:3] == [12.0, 21.0, 42.0]
    assert max(pauses) <= LONGEST_SETTLE
    assert len(dispatched) < 20


def test_rooms_that_are_gone_are_forgotten() -> None:
    watch = Watch()
    looks(watch, room(None), 3)
    assert watch.look([], 100.0) == []
    assert watch.look([room(None)], 104.0) == []
    assert len(watch._rooms) == 1
