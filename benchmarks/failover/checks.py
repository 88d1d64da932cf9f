"""What must hold after every fault."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import select

from benchmarks.failover.database import Database
from benchmarks.failover.people import Heard
from proctoring.records.database import connect, parse_url, reading
from proctoring.records.signing import load_signer
from proctoring.records.tables import EventRow, SittingRow
from proctoring.records.verification import verify


def problems(database: Database, folder: Path, heard: dict[str, Heard]) -> list[str]:
    """What is wrong: an event lost, doubled or told differently, a chain that does not verify, more than
    one open sitting. Empty if nothing is."""
    engine = connect(parse_url(database.url()))
    found = [f"{name}: {what}" for name, one in heard.items() for what in one.problems]
    with reading(engine) as connection:
        for name, one in heard.items():
            rows = connection.execute(
                select(EventRow.seq, EventRow.body)
                .filter_by(session_id=name)
                .order_by(EventRow.seq)
            ).all()
            stored = {row.seq: row.body for row in rows}
            if sorted(stored) != list(range(1, len(stored) + 1)):
                found.append(f"{name}: the numbers have a gap")
            if {seq: stored.get(seq) for seq in one.texts} != one.texts:
                found.append(f"{name}: an event that was heard is not stored so")
            opened = select(SittingRow.id).filter_by(session_id=name, state="open")
            if len(connection.execute(opened).all()) > 1:
                found.append(f"{name}: two sittings are open")
    found += [
        f"{one.where}: {one.what}" for one in verify(engine, load_signer(folder / "signing.key"))
    ]
    engine.dispose()
    return found


def sittings(database: Database, session_id: str) -> list[tuple[str, int, str]]:
    """State, epoch and owner of a session's sittings, oldest first."""
    engine = connect(parse_url(database.url()))
    with reading(engine) as connection:
        rows = connection.execute(
            select(SittingRow.state, SittingRow.epoch, SittingRow.server_id)
            .filter_by(session_id=session_id)
            .order_by(SittingRow.started_at)
        ).all()
    engine.dispose()
    return [(row.state, row.epoch, row.server_id) for row in rows]
