"""Long work cut into steps, so that its caller can do something else between two of them."""

from __future__ import annotations

from collections.abc import Generator
from typing import TypeVar

Result = TypeVar("Result")
Steps = Generator[None, None, Result]
"""``next`` runs one step; the generator's return value is the result."""


def run_to_completion(steps: Steps[Result]) -> Result:
    """Run all remaining steps and return the result."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            result: Result = end.value
            return result
