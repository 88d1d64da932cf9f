"""Writes the start of a sitting: its row, its policy, and consents given before it."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from datetime import timedelta

from sqlalchemy import Connection, insert, select, update

from proctoring.records.additions import chain_additions, consent_text, sign_additions
from proctoring.records.chain import ChainState, initial_head
from proctoring.records.entries import SittingStarted
from proctoring.records.signing import Signer
from proctoring.records.sitting_state import ENDED, OPEN, last_seq_of_session
from proctoring.records.tables import ConsentRow, PolicyRow, SittingRow

CONTINUED_WITHIN = timedelta(days=1)
"""A sitting that starts within this after an interrupted one of the same session continues it: its
listeners can replay the events of both."""


def policy_digest(toml: str) -> str:
    """The key of a policy: SHA-256 of its text."""
    return hashlib.sha256(toml.encode()).hexdigest()


def store_policy(connection: Connection, digest: str, entry: SittingStarted) -> None:
    """Insert the sitting's policy under its digest, unless it is stored already."""
    if connection.execute(select(PolicyRow.hash).filter_by(hash=digest)).first() is None:
        values = {"hash": digest, "name": entry.policy_name, "toml": entry.policy_toml}
        connection.execute(insert(PolicyRow).values(values))


def open_sitting(connection: Connection, session_id: str) -> str | None:
    """The id of the open sitting of a session, locked; ``None`` if there is none."""
    found = select(SittingRow.id).filter_by(session_id=session_id, state=OPEN)
    return connection.execute(found.with_for_update()).scalar()


def start_sitting(
    connection: Connection, policy_hash: str, entry: SittingStarted, signer: Signer, server_id: str
) -> ChainState:
    """Insert a sitting, whose policy is stored, and give it the consents that wait for its session.

    No other sitting of the session is open.
    """
    sitting = entry.sitting
    last_seq = last_seq_of_session(connection, sitting.session_id, signer)
    head = initial_head(sitting.id, sitting.session_id, sitting.started_at, policy_hash)
    consents = connection.execute(
        select(ConsentRow)
        .filter_by(session_id=sitting.session_id, sitting_id=None)
        .order_by(ConsentRow.id)
    ).all()
    added = list(chain_additions(head, map(consent_text, consents)))
    count, addition_chain_hash = (added[-1].addition_number, added[-1].hash) if added else (0, head)
    connection.execute(
        insert(SittingRow).values(
            id=sitting.id,
            session_id=sitting.session_id,
            started_at=sitting.started_at,
            mirrored=entry.mirrored,
            challenge_seed=entry.seed,
            policy_hash=policy_hash,
            server_id=server_id,
            epoch=sitting.epoch,
            state=OPEN,
            replay_after_seq=_replay_floor(connection, entry, last_seq),
            last_seq=last_seq,
            event_count=0,
            event_chain_hash=head,
            addition_count=count,
            addition_chain_hash=addition_chain_hash,
            signals_lost=0,
            addition_chain_signature=sign_additions(signer, sitting.id, count, addition_chain_hash),
        )
    )
    for consent, place in zip(consents, added, strict=True):
        adopted = update(ConsentRow).filter_by(id=consent.id)
        connection.execute(adopted.values(sitting_id=sitting.id, **asdict(place)))
    return ChainState(sitting.id, last_seq, 0, head)


def _replay_floor(connection: Connection, entry: SittingStarted, last_seq: int) -> int:
    """Up to which number events of the session id are not replayed to this sitting's listeners.

    A sitting that continues an interrupted one replays that one's events too.
    """
    before = connection.execute(
        select(SittingRow)
        .filter_by(session_id=entry.sitting.session_id)
        .order_by(SittingRow.started_at.desc())
        .limit(1)
    ).first()
    if before is None or before.state == ENDED:
        return last_seq
    continued = entry.sitting.started_at - before.started_at < CONTINUED_WITHIN
    return before.replay_after_seq if continued else last_seq
