"""``errors.md``: every error, what clients get to know of it, and whether to retry."""

from __future__ import annotations

from proctoring.error_list import all_errors
from proctoring.errors import ProctoringError
from tools.reference_pages.markdown import table
from tools.reference_pages.notice import NOTICE

INTRODUCTION = """\
Every error has one form, in an answer, in a refused handshake and as a message of a socket:
`{"error": {"code": "session_closing", "detail": "...", "retryable": true}}`. `code` is for programs,
`detail` for people. `retryable`: the same request, unchanged, may succeed later; not before the header
`Retry-After`, where the answer has one. *Closes with*: the close code of a socket that ends with the
error, which is its last message; an error without a close code leaves the socket open. A socket whose
connection is lost, or that is closed with another code (below), may always be opened again.

`bad_setting`, `bad_recording`, `transcriber_unavailable` and `diarization_unavailable` occur in the
commands and in Python only."""

CLOSE_CODES = """\
## Other close codes

| code | meaning |
| --- | --- |
| 1000 | the client closed the socket |
| 1009 | a message of more than twice `PROCTORING_MAX_FRAME_BYTES` (6 MiB): send smaller ones |
| 1011 | no answer to pings for 20 s |

1012 without the error `session_moved`: the server stops and ends its sessions; the last message may be `ended` then.
Whoever comes back begins a new session."""


def errors_page() -> str:
    """The page as Markdown."""
    header = ("code", "status", "retryable", "closes with", "meaning")
    rows = [_row(error) for error in all_errors()]
    return "\n".join(
        ["# Errors", "", NOTICE, "", INTRODUCTION, "", table(header, rows), "", CLOSE_CODES, ""]
    )


def _row(error: type[ProctoringError]) -> tuple[str, ...]:
    retryable = "no"
    if error.retryable:
        retryable = "yes" if error.retry_after is None else f"yes, after {error.retry_after} s"
    closes = "" if error.close_code is None else str(error.close_code)
    return (f"`{error.code}`", str(error.status), retryable, closes, error.__doc__ or "")
