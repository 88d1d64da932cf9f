"""Error messages about invalid policies."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Mapping, Sequence

from pydantic import ValidationError

from proctoring.errors import BadPolicyError
from proctoring.judgement.policy.outline import Path

MAX_LISTED = 24
"""Known names that an error message lists at most."""
MAX_PROBLEMS = 10
"""Problems that an error message lists at most."""
MAX_DETAIL = 300
"""Characters of one problem; longer ones are cut."""


def bad_policy(
    error: ValidationError,
    source: str,
    lines: Mapping[Path, int] | None = None,
    before: Sequence[tuple[Path, str]] = (),
) -> BadPolicyError:
    """The first problems of ``error``, one for each cause, prefixed with ``source`` and their line.

    Args:
        error: what validation found.
        source: the policy.
        lines: ``outline`` of its text.
        before: paths and messages of problems that were found before.
    """
    return with_lines([*before, *_problems(error)], source, lines or {})


def with_lines(
    problems: Sequence[tuple[Path, str]], source: str, lines: Mapping[Path, int]
) -> BadPolicyError:
    """An error that lists the first ``MAX_PROBLEMS`` problems in the order of their lines.

    Args:
        problems: paths and messages.
        source: the policy.
        lines: ``outline`` of its text.
    """
    placed = sorted(
        ((_line(path, lines), message) for path, message in problems), key=lambda one: one[0]
    )
    messages = list(dict.fromkeys(f"line {n}: {text}" if n else text for n, text in placed))
    more = [f"and {len(messages) - MAX_PROBLEMS} more"] if len(messages) > MAX_PROBLEMS else []
    listed = [*messages[:MAX_PROBLEMS], *more]
    return BadPolicyError(
        f"{source}: " + "; ".join(listed), tuple(f"{source}: {problem}" for problem in listed)
    )


def _line(path: Path, lines: Mapping[Path, int]) -> int:
    """The line of the nearest key that the text has; 0 without one."""
    for length in range(len(path), 0, -1):
        if path[:length] in lines:
            return lines[path[:length]]
    return 0


def _problems(error: ValidationError) -> Iterator[tuple[Path, str]]:
    """Path and message of each cause: what one table lacks is one."""
    missing: dict[Path, list[str]] = {}
    for found in error.errors(include_url=False, include_input=False):
        # "(seconds)" and "(count)" are tags of a union, not keys.
        path = tuple(str(part) for part in found["loc"] if not str(part).startswith("("))
        if found["type"] == "missing" and len(path) > 1:
            missing.setdefault(path[:-1], []).append(path[-1])
            continue
        yield path, _message(path, found["msg"])
    for path, names in missing.items():
        yield path, f"{'.'.join(path)}: lacks {', '.join(names)}"


def unknown_name(where: str, name: str, known: tuple[str, ...]) -> str:
    """A message that ``name`` is unknown, with the closest known name or a list of them."""
    close = difflib.get_close_matches(name, known, n=1)
    listed = ", ".join(known[:MAX_LISTED]) + (", ..." if len(known) > MAX_LISTED else "")
    hint = f"did you mean {close[0]!r}?" if close else f"known are {listed}"
    return f"{where}: unknown {name[:100]!r}; {hint}"


def _message(path: Path, message: str) -> str:
    """One problem as "incidents.gaze.left.persist: must be ..."."""
    message = message.replace("Extra inputs are not permitted", "unknown setting")
    message = re.sub(r"valid dictionary or instance of \w+", "table of settings", message)
    message = message.removeprefix("Value error, ")[:MAX_DETAIL]
    return ": ".join(filter(None, (".".join(part[:100] for part in path), message)))
