"""A process finds what another left of its sittings, and takes them over: exactly one, exactly as it was."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from tests.records.conftest import BEGAN, beginning, ending, occurrence, tell

from proctoring.errors import SessionMovedError
from proctoring.incidents import IncidentState
from proctoring.judgement.policy import shipped_policy
from proctoring.judgement.state import JudgementState, KindState, OpenIncident, initial_state
from proctoring.records.archive import DEAD_AFTER, Archive
from proctoring.records.continuation import KeptSitting, claim_kept, orphans
from proctoring.records.database import reading, writing
from proctoring.records.entries import PendingEvent, SittingSaved, SittingStarted
from proctoring.records.erasure import erase
from proctoring.records.ownership import Fenced, claim
from proctoring.records.session_states import CONTINUE_WITHIN
from proctoring.records.tables import ServerRow, SessionStateRow, SittingRow
from proctoring.snapshots import SnapshotError, encode

SITTING = beginning().sitting
JUDGED = replace(
    initial_state("secret"),
    time=93.4,
    incidents=1,
    kinds={
        "gaze.left": KindState(
            93.4, incident=OpenIncident(1, 91.4, 93.4, 20, 18.2, 620.0, 33.0, "{}", True, 93.4)
        )
    },
)


def told(number: int = 1, state: JudgementState = JUDGED) -> PendingEvent:
    """An incident starts; the state of judgement is kept with it."""
    return replace(occurrence(number), state=state)


def saved(**parts: object) -> SittingSaved:
    """A state is kept."""
    return SittingSaved(SITTING, BEGAN + timedelta(seconds=95), 95.0, JUDGED, **parts)


def under(failover: str) -> SittingStarted:
    """A sitting begins under a policy that keeps more or less."""
    policy = shipped_policy("exam")
    records = policy.records.model_copy(update={"failover": failover})
    return replace(
        beginning(), policy_toml=policy.model_copy(update={"records": records}).to_toml()
    )


def take(
    archive: Archive, *, gone: bool = True, after: timedelta = timedelta(minutes=2)
) -> KeptSitting | None:
    """Claim the session, if its owner is gone."""
    return claim_kept(
        archive.engine,
        archive.signer,
        archive.sealing,
        "exam-7",
        server_id=archive.server_id,
        is_gone=lambda _: gone,
        now=BEGAN + after,
    )


def row(archive: Archive) -> SessionStateRow | None:
    """What is stored of the sitting's state."""
    with reading(archive.engine) as connection:
        found: SessionStateRow | None = connection.execute(select(SessionStateRow)).first()  # type: ignore[assignment]
    return found


def test_a_sitting_goes_on_as_it_was_left(open_database: Callable[[], Archive]) -> None:
    first = open_database().writer()
    first.write([beginning(), told(), saved(hot=("hot", 1), learned=(2,), biometrics=(3,))], tell)
    archive = open_database()
    kept = take(archive)
    assert kept is not None
    assert kept.sitting == replace(SITTING, epoch=2)
    assert kept.judgement == JUDGED
    assert kept.media_time == 95.0
    assert [(one.number, one.state) for one in kept.incidents] == [(1, IncidentState.STARTED)]
    assert kept.last_alert == kept.incidents[0]
    assert archive.sealing.open("S1", "hot", kept.parts["hot"], tuple) == ("hot", 1)
    goes_on = replace(occurrence(1, IncidentState.ENDED), sitting=kept.sitting)
    assert [event.seq for event in archive.writer().write([goes_on], tell) if event] == [2]  # type: ignore[union-attr]
    assert first.write([occurrence(2)], tell) == [Fenced.FENCED]
    assert archive.reader.replay("exam-7", 0, 100).events == ((1, tell(0, 1)), (2, tell(0, 2)))


def test_one_of_two_processes_takes_it(open_database: Callable[[], Archive]) -> None:
    open_database().writer().write([beginning(), told()], tell)
    second, third = open_database(), open_database()
    assert take(second) is not None
    with writing(third.engine) as connection, pytest.raises(SessionMovedError):
        claim(connection, "S1", third.server_id, expected=1)
    assert take(third, gone=False) is None


def test_nothing_is_taken_from_a_living_server(open_database: Callable[[], Archive]) -> None:
    open_database().writer().write([beginning(), told()], tell)
    archive = open_database()
    assert take(archive, gone=False) is None
    assert orphans(archive.engine, archive.server_id, lambda _: False) == ()
    assert orphans(archive.engine, archive.server_id, lambda _: True) == ("exam-7",)


def test_a_state_is_never_ahead_of_the_events_before_it(archive: Archive) -> None:
    writer = archive.writer()
    writer.write([beginning(), told()], tell)
    before = row(archive)
    unknown = replace(occurrence(), sitting=replace(SITTING, id="S9"))
    with pytest.raises(KeyError):
        writer.write([saved(hot=(1,)), unknown], tell)
    assert row(archive) == before


def test_what_has_not_changed_is_not_written_again(archive: Archive) -> None:
    writer = archive.writer()
    writer.write([beginning(), saved(hot=(1,), learned=(2,), biometrics=(3,))], tell)
    first = row(archive)
    writer.write([saved(hot=(4,), learned=(2,))], tell)
    second = row(archive)
    assert first is not None
    assert second is not None
    assert second.hot != first.hot
    # Encrypted anew, the same content would be other bytes.
    assert second.learned == first.learned
    assert second.biometrics == first.biometrics
    assert second.judgement == first.judgement


def test_no_part_can_be_read_without_the_key_or_in_place_of_another(archive: Archive) -> None:
    archive.writer().write([beginning(), saved(biometrics=(0.25,) * 9)], tell)
    stored = row(archive)
    assert stored is not None
    assert stored.biometrics is not None
    assert b"proctoring sealed" in stored.biometrics[:20]
    for sitting_id, part in (("S2", "biometrics"), ("S1", "learned")):
        with pytest.raises(SnapshotError):
            archive.sealing.open(sitting_id, part, stored.biometrics, tuple)


def test_a_part_that_no_server_encrypted_is_not_read(archive: Archive) -> None:
    with pytest.raises(SnapshotError, match="not encrypted"):
        archive.sealing.open("S1", "biometrics", encode((0.25,) * 9), tuple)


@pytest.mark.parametrize("change", [{"judgement": b"rubbish"}, {"format": 99}])
def test_a_state_that_cannot_be_read_interrupts_the_sitting_and_says_so(
    open_database: Callable[[], Archive], change: dict[str, object]
) -> None:
    open_database().writer().write([beginning(), told()], tell)
    archive = open_database()
    with writing(archive.engine) as connection:
        connection.execute(update(SessionStateRow).values(change))
    assert take(archive) is None
    found = archive.reader.sitting("S1").sitting
    assert found.state == "interrupted"
    assert "could not go on" in (found.end_reason or "")
    assert row(archive) is None


def test_a_policy_may_keep_nothing(open_database: Callable[[], Archive]) -> None:
    open_database().writer().write([under("off"), occurrence()], tell)
    archive = open_database()
    assert take(archive) is None
    assert "its policy keeps no state" in (archive.reader.sitting("S1").sitting.end_reason or "")


def test_what_was_left_for_long_is_over(open_database: Callable[[], Archive]) -> None:
    open_database().writer().write([beginning(), told()], tell)
    archive = open_database()
    assert take(archive, after=CONTINUE_WITHIN + timedelta(minutes=1)) is None
    assert archive.reader.sitting("S1").sitting.state == "interrupted"


def test_a_sitting_without_events_begins_anew_as_itself(
    open_database: Callable[[], Archive],
) -> None:
    open_database().writer().write([replace(beginning(), seed="secret")], tell)
    kept = take(open_database())
    assert kept is not None
    assert kept.judgement == initial_state("secret")


def test_heartbeats_leave_what_can_be_continued(open_database: Callable[[], Archive]) -> None:
    open_database().writer().write([beginning(), told()], tell)
    archive = open_database()
    dead = timedelta(seconds=DEAD_AFTER + 1)
    archive.heartbeat(BEGAN + dead)
    assert archive.reader.sitting("S1").sitting.state == "open"
    archive.heartbeat(BEGAN + CONTINUE_WITHIN + dead)
    assert archive.reader.sitting("S1").sitting.state == "interrupted"
    assert row(archive) is None


def test_heartbeats_end_nothing_of_a_server_whose_lease_holds(
    open_database: Callable[[], Archive],
) -> None:
    owner = open_database()
    owner.writer().write([beginning(), told()], tell)
    archive, asked = open_database(), []

    def is_gone(server_id: str) -> bool:
        asked.append(server_id)
        return False

    ahead = BEGAN + CONTINUE_WITHIN + timedelta(seconds=DEAD_AFTER + 1)
    archive.heartbeat(ahead, is_gone)
    assert asked == [owner.server_id]
    assert archive.reader.sitting("S1").sitting.state == "open"
    with writing(archive.engine) as connection:
        leased = update(ServerRow).filter_by(id=owner.server_id)
        connection.execute(leased.values(address="http://10.0.0.7:8000"))
    archive.heartbeat(ahead)
    assert archive.reader.sitting("S1").sitting.state == "open"


def test_nothing_of_a_state_outlives_the_end_or_an_erasure(archive: Archive) -> None:
    writer = archive.writer()
    writer.write([beginning(), saved(biometrics=(1,))], tell)
    writer.write([told(), ending()], tell)
    assert row(archive) is None
    # One that was left by a fault counts among what is erased.
    with writing(archive.engine) as connection:
        values = {"sitting_id": "S1", "format": 1, "saved_at": BEGAN, "media_time": 0.0}
        connection.execute(
            SessionStateRow.__table__.insert().values(values | {"judgement": b""})  # type: ignore[attr-defined]
        )
    done = erase(archive.engine, archive.signer, "S1", "asked", "admin", BEGAN)
    assert done.record.row_counts["session_states"] == 1
    assert row(archive) is None
    with reading(archive.engine) as connection:
        assert connection.execute(select(SittingRow)).first() is None
