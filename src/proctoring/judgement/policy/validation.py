"""Error messages about invalid policies."""

from __future__ import annotations

import difflib

from pydantic import ValidationError

from proctoring.errors import BadPolicyError

MAX_LISTED = 24
"""Known names that an error message lists at most."""


def bad_policy(error: ValidationError, source: str) -> BadPolicyError:
    """All problems of ``error`` in one line, prefixed with ``source``."""
    problems = [_problem(found["loc"], found["msg"]) for found in error.errors()]
    return BadPolicyError(f"{source}: " + "; ".join(dict.fromkeys(problems)))


def unknown_name(where: str, name: str, known: tuple[str, ...]) -> str:
    """A message that ``name`` is unknown, with the closest known name or a list of them."""
    close = difflib.get_close_matches(name, known, n=1)
    listed = ", ".join(known[:MAX_LISTED]) + (", ..." if len(known) > MAX_LISTED else "")
    hint = f"did you mean {close[0]!r}?" if close else f"known are {listed}"
    return f"{where}: unknown {name[:100]!r}; {hint}"


def _problem(location: tuple[int | str, ...], message: str) -> str:
    """One problem as "incidents.gaze.left.persist: must be ..."."""
    # "(seconds)" and "(count)" are tags of a union, not keys.
    path = [str(part) for part in location if not str(part).startswith("(")]
    message = message.replace("Extra inputs are not permitted", "unknown setting")
    return ": ".join(filter(None, (".".join(path), message.removeprefix("Value error, "))))
