"""Chain of hashes over a sitting's events: an event that is changed or missing shows."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class ChainState:
    """Where a sitting's events stand."""

    sitting_id: str
    last_seq: int
    """Number of the last event of its session id."""
    length: int
    """How many events the sitting has."""
    head: str
    """Hash of its last event; ``initial_head`` while it has none."""


def initial_head(sitting_id: str, session_id: str, started_at: datetime, policy_hash: str) -> str:
    """What a sitting's first event is bound to: the hash of the facts it started with."""
    facts = [sitting_id, session_id, int(started_at.timestamp() * 1000), policy_hash]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def link(previous: str, text: str) -> str:
    """The hash of an event, or of any record, whose predecessor has the hash ``previous``."""
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
