"""REST: stored evidence."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from proctoring.errors import (
    EvidenceDamagedError,
    EvidenceKeyMissingError,
    EvidenceUnavailableError,
    UnknownEvidenceError,
)
from proctoring.server.authorisation import needs
from proctoring.server.error_answers import errors
from proctoring.server.grant import Scope
from proctoring.server.records_rest import NOT_RECORDED, storage

router = APIRouter(prefix="/api/records", tags=["records"], dependencies=[needs(Scope.REVIEW)])

_HEADERS = {
    "Cache-Control": "no-store",  # images of people must not outlive their erasure in a cache
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}
_CONTENT = {
    "image/jpeg": {"schema": {"type": "string", "format": "binary"}},
    "video/mp4": {"schema": {"type": "string", "format": "binary"}},
}


@router.get(
    "/sittings/{sitting_id}/evidence/{digest}",
    response_class=Response,
    responses={
        200: {"content": _CONTENT},
        **errors(
            UnknownEvidenceError,
            EvidenceDamagedError,
            EvidenceUnavailableError,
            EvidenceKeyMissingError,
            *NOT_RECORDED,
        ),
    },
)
def show_evidence(request: Request, sitting_id: str, digest: str) -> Response:
    """One still (JPEG) or clip (MP4) of an incident. Its content is verified against the digest."""
    piece = storage(request).evidence(sitting_id, digest)
    return Response(piece.data, media_type=piece.media_type, headers=_HEADERS)
