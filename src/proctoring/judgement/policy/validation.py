"""Error messages about invalid policies."""

from __future__ import annotations

import difflib

from pydantic import ValidationError

from proctoring.errors import BadPolicyError

MAX_LISTED = 24
"""Known names that an error message lists at most."""
MAX_PROBLEMS = 10
"""Problems that an error message lists at most."""
MAX_DETAIL = 300
"""Characters of one problem; longer ones are cut."""


def bad_policy(error: ValidationError, source: str) -> BadPolicyError:
    """The first problems of ``error`` in one line, prefixed with ``source``."""
    found = error.errors(include_url=False, include_input=False)
    problems = list(dict.fromkeys(_problem(one["loc"], one["msg"]) for one in found))
    more = len(problems) - MAX_PROBLEMS
    listed = "; ".join(problems[:MAX_PROBLEMS]) + (f"; and {more} more" if more > 0 else "")
    return BadPolicyError(f"{source}: {listed}")


def unknown_name(where: str, name: str, known: tuple[str, ...]) -> str:
    """A message that ``name`` is unknown, with the closest known name or a list of them."""
    close = difflib.get_close_matches(name, known, n=1)
    listed = ", ".join(known[:MAX_LISTED]) + (", ..." if len(known) > MAX_LISTED else "")
    hint = f"did you mean {close[0]!r}?" if close else f"known are {listed}"
    return f"{where}: unknown {name[:100]!r}; {hint}"


def _problem(location: tuple[int | str, ...], message: str) -> str:
    """One problem as "incidents.gaze.left.persist: must be ..."."""
    # "(seconds)" and "(count)" are tags of a union, not keys.
    path = [str(part)[:100] for part in location if not str(part).startswith("(")]
    message = message.replace("Extra inputs are not permitted", "unknown setting")
    message = message.removeprefix("Value error, ")[:MAX_DETAIL]
    return ": ".join(filter(None, (".".join(path), message)))
