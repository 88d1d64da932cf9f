"""Hashes that bind each event of a sitting to the one before: what is changed or missing shows."""

from __future__ import annotations

import hashlib
import json
from datetime import datetime


def initial_head(sitting_id: str, session_id: str, began_at: datetime, policy_hash: str) -> str:
    """What the first event of a sitting is bound to: the facts it began with."""
    facts = [sitting_id, session_id, int(began_at.timestamp() * 1000), policy_hash]
    return hashlib.sha256(json.dumps(facts).encode()).hexdigest()


def link(previous: str, text: str) -> str:
    """The hash of an event, or of any record, whose predecessor has the hash ``previous``."""
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
