"""States of a sitting, and what ends one whose server died."""

from __future__ import annotations

import json

from sqlalchemy import Connection, func, select, update

from proctoring.incidents import IncidentState
from proctoring.records.session_states import delete_state
from proctoring.records.signing import Signer
from proctoring.records.tables import ErasureRow, EventRow, IncidentRow, SittingRow

OPEN = "open"
ENDED = "ended"
INTERRUPTED = "interrupted"
"""Its server died without ending it."""


def sealed_text(sitting_id: str, length: int, head: str) -> str:
    """The text that a sitting's seal signs: its number of events and the hash of the last one."""
    return json.dumps([sitting_id, length, head])


def interrupt(
    connection: Connection,
    sitting_id: str,
    signer: Signer,
    why: str = "its server stopped without ending it",
) -> None:
    """End an open sitting whose server died, and its incidents; it ends with its last event.

    Should that server live after all, it finds another epoch, and writes nothing more of the sitting.
    """
    row = connection.execute(select(SittingRow).filter_by(id=sitting_id).with_for_update()).one()
    if row.state != OPEN:
        return
    last = connection.execute(
        select(func.max(EventRow.created_at)).filter_by(sitting_id=sitting_id)
    ).scalar()
    connection.execute(
        update(SittingRow)
        .filter_by(id=sitting_id)
        .values(
            state=INTERRUPTED,
            epoch=row.epoch + 1,
            ended_at=last or row.started_at,
            end_reason=why,
            event_chain_signature=signer.sign(
                sealed_text(row.id, row.event_count, row.event_chain_hash)
            ),
        )
    )
    connection.execute(
        update(IncidentRow)
        .filter_by(sitting_id=sitting_id)
        .where(IncidentRow.state != IncidentState.ENDED.value)
        .values(state=INTERRUPTED)
    )
    delete_state(connection, sitting_id)


def last_seq_of_session(connection: Connection, session_id: str, signer: Signer) -> int:
    """The last event number given out under a session id, by any process, erased or not."""
    stored = connection.execute(
        select(func.max(SittingRow.last_seq)).filter_by(session_id=session_id)
    ).scalar()
    erased = connection.execute(
        select(func.max(ErasureRow.last_seq)).filter_by(session_hash=signer.pseudonym(session_id))
    ).scalar()
    return max(stored or 0, erased or 0)
