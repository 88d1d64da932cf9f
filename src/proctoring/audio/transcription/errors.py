"""The error of transcription."""

from __future__ import annotations

from proctoring.errors import ProctoringError


class TranscriberUnavailableError(ProctoringError):
    """A transcriber was requested and cannot be used."""

    code = "transcriber_unavailable"
