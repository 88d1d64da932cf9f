"""Which participants are candidates and proctors: rules in one line of text."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from livekit import rtc

from proctoring.errors import SettingsError

_NO_PEOPLE = frozenset(
    {rtc.ParticipantKind.PARTICIPANT_KIND_AGENT, rtc.ParticipantKind.PARTICIPANT_KIND_EGRESS}
)

CANDIDATES = "attribute:proctoring.role=candidate, identity:candidate-*"
PROCTORS = "attribute:proctoring.role=proctor, identity:proctor-*"


class Participant(Protocol):
    """What decides on a role: of a participant in a room, and of one that LiveKit's API lists."""

    @property
    def kind(self) -> int: ...
    @property
    def identity(self) -> str: ...
    @property
    def metadata(self) -> str: ...
    @property
    def attributes(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Role:
    """Rules of which at least one must hold. Agents and recorders never hold a role."""

    rules: tuple[tuple[str, str, str], ...]
    """(``attribute`` | ``metadata`` | ``identity`` | ``everyone``, key, wanted value or pattern)."""

    def held_by(self, participant: Participant) -> bool:
        """Whether this participant has the role now."""
        if participant.kind in _NO_PEOPLE:
            return False
        return any(_holds(rule, participant) for rule in self.rules)

    @property
    def named(self) -> tuple[str, ...]:
        """Identities that the rules name in full: they can be reached even as hidden participants."""
        return tuple(
            value
            for what, _, value in self.rules
            if what == "identity" and not set("*?[") & set(value)
        )


def parse_role(text: str) -> Role:
    """Parse rules, separated by commas.

    ``attribute:KEY=VALUE`` (a participant attribute), ``metadata:KEY=VALUE`` (a field of the
    participant's metadata, a JSON object), ``identity:PATTERN`` (with ``*`` and ``?``),
    ``everyone``. Participants who may edit their own attributes or metadata (LiveKit's
    ``canUpdateOwnMetadata``) can give themselves a role; identities come from tokens.

    Raises ``SettingsError`` for any other rule.
    """
    return Role(tuple(_parse_rule(part.strip()) for part in text.split(",") if part.strip()))


def _parse_rule(text: str) -> tuple[str, str, str]:
    what, _, rest = text.partition(":")
    key, equals, value = rest.partition("=")
    if text == "everyone":
        return ("everyone", "", "")
    if what == "identity" and rest:
        return ("identity", "", rest)
    if what in ("attribute", "metadata") and key and equals:
        return (what, key, value)
    raise SettingsError(
        f"cannot read the role {text!r}: expected attribute:KEY=VALUE, metadata:KEY=VALUE, "
        "identity:PATTERN or everyone"
    )


def _holds(rule: tuple[str, str, str], participant: Participant) -> bool:
    what, key, value = rule
    match what:
        case "everyone":
            return True
        case "identity":
            return fnmatchcase(participant.identity, value)
        case "attribute":
            return participant.attributes.get(key) == value
        case _:
            return _metadata(participant.metadata).get(key) == value


def _metadata(text: str) -> dict[str, object]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}
