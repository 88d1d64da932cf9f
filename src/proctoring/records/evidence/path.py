"""The path under which the server serves a piece of evidence."""

from __future__ import annotations


def evidence_path(sitting_id: str, digest: str) -> str:
    """The path, relative to the server's root."""
    return f"/api/records/sittings/{sitting_id}/evidence/{digest}"
