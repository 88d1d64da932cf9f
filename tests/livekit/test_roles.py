from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest
from livekit import rtc

from proctoring.errors import SettingsError
from proctoring.livekit.roles import CANDIDATES, PROCTORS, parse_role

STANDARD = rtc.ParticipantKind.PARTICIPANT_KIND_STANDARD
AGENT = rtc.ParticipantKind.PARTICIPANT_KIND_AGENT


def somebody(
    identity: str = "x",
    metadata: str = "",
    kind: int = STANDARD,
    attributes: dict[str, str] | None = None,
) -> rtc.Participant:
    return cast(
        rtc.Participant,
        SimpleNamespace(
            identity=identity, metadata=metadata, attributes=attributes or {}, kind=kind
        ),
    )


@pytest.mark.parametrize(
    ("role", "participant", "held"),
    [
        ("identity:student-*", somebody("student-7"), True),
        ("identity:student-*", somebody("Student-7"), False),
        ("identity:maria", somebody("maria"), True),
        ("attribute:role=student", somebody(attributes={"role": "student"}), True),
        ("attribute:role=student", somebody(attributes={"role": "teacher"}), False),
        ("metadata:role=student", somebody(metadata='{"role": "student"}'), True),
        ("metadata:role=student", somebody(metadata="student"), False),
        ("metadata:role=student", somebody(metadata='["role"]'), False),
        ("identity:a, identity:b", somebody("b"), True),
        ("everyone", somebody(), True),
        ("everyone", somebody(kind=AGENT), False),
        ("", somebody(), False),
    ],
)
def test_a_role_is_held_by_whom_a_rule_fits(
    role: str, participant: rtc.Participant, held: bool
) -> None:
    assert parse_role(role).held_by(participant) is held


def test_by_default_candidates_and_proctors_are_told_apart() -> None:
    candidate = somebody("candidate-1")
    proctor = somebody("p", attributes={"proctoring.role": "proctor"})
    assert parse_role(CANDIDATES).held_by(candidate)
    assert not parse_role(PROCTORS).held_by(candidate)
    assert parse_role(PROCTORS).held_by(proctor)
    assert not parse_role(CANDIDATES).held_by(proctor)
    assert not parse_role(f"{CANDIDATES},{PROCTORS}").held_by(somebody("visitor"))


def test_identities_in_full_are_known_beforehand() -> None:
    assert parse_role("identity:eve, identity:proctor-*, attribute:a=b").named == ("eve",)


@pytest.mark.parametrize("text", ["student", "attribute:role", "identity:", "metadata:=x", "all:*"])
def test_a_rule_that_cannot_be_read_is_named(text: str) -> None:
    with pytest.raises(SettingsError, match="cannot read the role"):
        parse_role(text)
