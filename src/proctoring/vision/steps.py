"""Work in steps, so that whoever runs it may do something else between two of them."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")
Steps = Generator[None, None, Result]
"""Advanced from step to step by ``next``; what it returns at its end is the result."""


def run_to_completion(steps: Steps[Result]) -> Result:
    """The result, after all steps at once."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
