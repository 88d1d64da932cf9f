"""Where a piece of evidence can be fetched from the server."""

from __future__ import annotations


def evidence_path(sitting_id: str, digest: str) -> str:
    """Path of the REST interface, from the server's root."""
    return f"/api/records/sittings/{sitting_id}/evidence/{digest}"
