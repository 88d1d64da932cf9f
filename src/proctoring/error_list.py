"""All errors of ``errors.py``, for its documentation and for clients that decide by close code."""

from __future__ import annotations

from collections.abc import Iterator

from proctoring.errors import ProctoringError


def all_errors(base: type[ProctoringError] = ProctoringError) -> Iterator[type[ProctoringError]]:
    """Every class that is raised, in the order of definition; groups are left out."""
    for error in base.__subclasses__():
        if error.__subclasses__():
            yield from all_errors(error)
        else:
            yield error


def closes_for_good(close_code: int) -> bool:
    """Whether a socket that was closed with this code should not be opened again as it was."""
    return any(error.close_code == close_code and not error.retryable for error in all_errors())
