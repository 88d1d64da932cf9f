"""Properties of judgement, tested on generated sequences of observations."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.judgement.build import EXAM, look, of_kind, run, run_on, seen

from proctoring.incidents import IncidentChange, IncidentState
from proctoring.judgement import finish, initial_state, judge, state_from_json, state_to_json
from proctoring.judgement.state import JudgementState
from proctoring.observations import ConnectionObservation, FrameObservation, Observation

TRIED = settings(max_examples=25)
"""A few examples, so that the suite is fast. To search, raise the number and add ``derandomize=False`` (400
of each found nothing)."""
LIMIT = 2.0  # seconds for which a gaze must persist by default
LOOKS = st.sampled_from(
    [None, look(), look(phones=(0.8,)), look(persons=(0.9, 0.7)), look(persons=())]
)


@st.composite
def frames(draw: st.DrawFn, time: float = 0.0) -> FrameObservation:
    """Any frame of a sitting."""
    return seen(
        time,
        yaw=draw(st.sampled_from([0.0, 0.0, 30.0, 30.0, 30.0, -30.0])),
        pitch=draw(st.sampled_from([0.0, 0.0, -30.0])),
        head=(draw(st.sampled_from([0.0, 30.0])), 0.0),
        faces=draw(st.sampled_from([None, 0, 1, 1, 1, 1, 2])),
        readable=draw(st.booleans()),
        objects=draw(LOOKS),
    )


@st.composite
def sittings(draw: st.DrawFn) -> list[Observation]:
    """Scenes at any frame rate, with gaps, lost connections and late arrivals."""
    time, observations = 0.0, list[Observation]()
    for _ in range(draw(st.integers(1, 8))):
        time += draw(st.sampled_from([0.0, 0.0, 0.5, 5.0, 40.0]))
        scene = draw(frames())
        lost = draw(st.sampled_from([False, False, False, True]))
        step = draw(st.sampled_from([0.04, 0.1, 0.1, 0.2, 1.0]))
        for _ in range(draw(st.integers(1, 60))):
            time += step
            if lost:
                observations.append(ConnectionObservation(time, connected=False))
            else:
                objects = scene.objects if draw(st.integers(0, 4)) == 0 else None
                observations.append(replace(scene, time=time, objects=objects))
    for _ in range(draw(st.integers(0, 3))):  # some arrive late, or twice
        at = draw(st.integers(0, len(observations) - 1))
        to = draw(st.integers(0, len(observations)))
        observations.insert(to, observations[at])
    return observations


@given(sittings())
@TRIED
def test_every_incident_starts_once_ends_at_most_once_and_only_then_changes(
    sitting: list[Observation],
) -> None:
    state, changes = run_on(sitting)
    _, last = finish(EXAM, state, 1e6)
    lives: dict[int, list[IncidentChange]] = {}
    for change in [*(c for _, c in changes), *last]:
        lives.setdefault(change.number, []).append(change)
    assert sorted(lives) == list(range(1, len(lives) + 1))
    running: dict[str, int] = {}
    for change in [*(c for _, c in changes), *last]:
        if change.state is IncidentState.STARTED:
            assert change.kind not in running, "two of a kind at once"
            running[change.kind] = change.number
        if change.state is IncidentState.ENDED:
            assert running.pop(change.kind) == change.number
    assert not running
    for life in lives.values():
        states = [change.state for change in life]
        assert states[0] is IncidentState.STARTED
        assert states[-1] is IncidentState.ENDED
        assert set(states[1:-1]) <= {IncidentState.UPDATED}
        assert len({(c.kind, c.label, c.started_at, c.severity) for c in life}) == 1
        durations = [change.duration for change in life]
        assert durations == sorted(durations)
        assert durations[0] >= 0
        assert all(0 <= change.confidence <= 1 for change in life)
        assert not any(change.alerts for change in life[1:])


@given(sittings(), st.data())
@TRIED
def test_judging_continues_identically_from_a_saved_state(
    sitting: list[Observation], data: st.DataObject
) -> None:
    cut = data.draw(st.integers(0, len(sitting)))
    whole_state, whole = run_on(sitting)
    state, first = run_on(sitting[:cut])
    restored = state_from_json(state_to_json(state))
    assert restored == state
    end_state, second = run_on(sitting[cut:], state=restored)
    assert first + second == whole
    assert end_state == whole_state


@given(sittings())
@TRIED
def test_judging_is_deterministic_and_does_not_modify_its_arguments(
    sitting: list[Observation],
) -> None:
    state: JudgementState = initial_state()
    for observation in sitting:
        before = state_to_json(state)
        result = judge(EXAM, state, observation)
        assert judge(EXAM, state, observation) == result
        assert state_to_json(state) == before
        state = result[0]


@given(sittings())
@TRIED
def test_nothing_starts_before_it_has_persisted(sitting: list[Observation]) -> None:
    limits = {"face.absent": 3.0, "person.multiple": 1.0, "session.connection_lost": 5.0}
    for time, change in run(sitting):
        if change.state is not IncidentState.STARTED:
            continue
        if change.kind == "object.phone":
            looked = [
                o.time
                for o in sitting
                if isinstance(o, FrameObservation)
                and o.objects
                and o.objects.phones
                and change.started_at <= o.time <= time
            ]
            assert len(set(looked)) >= 2
        else:
            limit = limits.get(change.kind, LIMIT)
            assert time - change.started_at >= limit - 1e-6
            assert change.duration >= limit - 1e-6


@given(
    sittings(),
    st.sampled_from([0.04, 0.1, 0.2, 0.37]),
    st.floats(0.0, 5.0),
)
@TRIED
def test_a_condition_that_holds_throughout_is_always_an_incident(
    before: list[Observation], step: float, extra: float
) -> None:
    state, changes = run_on(before)
    start = (state.time or 0.0) + 0.05
    held = [seen(start + n * step, yaw=30) for n in range(int((LIMIT + extra) / step) + 2)]
    state, more = run_on(held, state=state)
    running = state.kinds["gaze.left"].incident
    assert running is not None
    assert of_kind([*changes, *more], "gaze.left")
    assert running.held_at == held[-1].time


@given(st.lists(st.floats(0.02, 0.3), min_size=1, max_size=80))
@TRIED
def test_gaze_that_is_too_short_is_never_an_incident(
    steps: list[float],
) -> None:
    time, observations = 0.0, [seen(0.0, yaw=30)]
    for step in steps:
        time += step
        if time >= LIMIT - 0.01:
            break
        observations.append(seen(time, yaw=30))
    observations += [seen(2.0 + n / 10) for n in range(40)]
    assert not run(observations)


SCENES: dict[str, Callable[[float], FrameObservation]] = {
    "shut eyes": lambda t: seen(t, readable=False),
    "no face": lambda t: seen(t, faces=0),
    "somebody else": lambda t: replace(seen(t), candidate=None),
}


@pytest.mark.parametrize("scene", SCENES.values(), ids=SCENES)
@given(st.integers(1, 95), st.sampled_from([0.04, 0.1, 0.2]))
@TRIED
def test_unreadable_frames_neither_start_nor_end_an_incident(
    scene: Callable[[float], FrameObservation], tenths: int, step: float
) -> None:
    length = tenths / 10  # shorter than the 10 s after which a lost incident ends
    unread = [scene(3 + n * step) for n in range(1, int(length / step) + 1)]
    assert not of_kind(run(unread), "gaze.left")
    aside = [seen(n / 10, yaw=30) for n in range(31)]
    state, _ = run_on([*aside, *unread])
    known = state.kinds["gaze.left"]
    assert known.incident is not None
    assert known.incident.held_at == 3.0
    assert known.absent == 0
    after = [seen(3 + length + 0.05 + n / 10) for n in range(20)]
    ((_, ended),) = of_kind(run(after, state=state), "gaze.left", IncidentState.ENDED)
    assert ended.duration == 3.0


# Within a frame of the limit the result depends on the rate; those lengths are excluded.
LENGTHS = st.floats(0.8, 8.0).filter(lambda length: abs(length - LIMIT) > 0.45)


@given(st.lists(LENGTHS, min_size=1, max_size=4), st.booleans())
@TRIED
def test_five_ten_and_thirty_frames_a_second_give_the_same_incidents(
    lengths: list[float], first_aside: bool
) -> None:
    segments = [(first_aside == (n % 2 == 0), length) for n, length in enumerate(lengths)]

    def aside(t: float) -> bool:
        for is_aside, length in segments:
            if t < length:
                return is_aside
            t -= length
        return False

    total = sum(length for _, length in segments) + 3
    found = {}
    for rate in (5, 10, 30):
        sitting = [
            seen(n / rate, yaw=30 if aside(n / rate) else 0) for n in range(int(total * rate))
        ]
        changes = run(sitting)
        found[rate] = [
            (start, ended)
            for (start, _), (_, ended) in zip(
                of_kind(changes, "gaze.left"),
                of_kind(changes, "gaze.left", IncidentState.ENDED),
                strict=True,
            )
        ]
    for rate in (5, 10):
        assert len(found[rate]) == len(found[30])
        for (start, incident), (other_start, other) in zip(found[rate], found[30], strict=True):
            assert abs(start - other_start) <= 2 / rate
            assert abs(incident.started_at - other.started_at) <= 1 / rate + 1e-6
            assert abs(incident.duration - other.duration) <= 2 / rate


@given(sittings(), st.floats(2.0, 20.0), st.floats(14.0, 60.0))
@TRIED
def test_accommodations_affect_only_the_kinds_they_name(
    sitting: list[Observation], persist: float, left: float
) -> None:
    eased = EXAM.with_accommodations({"gaze.left": {"persist": persist}, "screen": {"left": left}})
    usual, loosened = run(sitting), run(sitting, eased)

    def others(changes: list[tuple[float, IncidentChange]]) -> list[tuple[float, IncidentChange]]:
        return [(t, replace(c, number=0)) for t, c in changes if c.kind != "gaze.left"]

    assert others(loosened) == others(usual)
    assert len(of_kind(loosened, "gaze.left")) <= len(of_kind(usual, "gaze.left"))


@given(sittings())
@TRIED
def test_alerts_of_a_kind_are_at_least_its_cooldown_apart(sitting: list[Observation]) -> None:
    cooldown_until: dict[str, float] = {}
    alerted: set[int] = set()
    for time, change in run(sitting):
        if change.alerts:
            assert time >= cooldown_until.get(change.kind, 0.0) - 1e-6
            alerted.add(change.number)
        if change.state is IncidentState.ENDED and change.number in alerted:
            end = change.started_at + change.duration
            cooldown_until[change.kind] = end + EXAM.incidents[change.kind].cooldown


@given(sittings())
@TRIED
def test_the_size_of_the_state_is_bounded(sitting: list[Observation]) -> None:
    state, _ = run_on(sitting * 3)
    assert len(state_to_json(state)) < 50_000
