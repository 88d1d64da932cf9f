"""Which stills a report has, and how large they are."""

from __future__ import annotations

import io
from dataclasses import replace

from PIL import Image
from tests.server.report.build import INCIDENT

from proctoring.errors import EvidenceDamagedError, EvidenceUnavailableError
from proctoring.records.evidence.ledger import EvidenceContent
from proctoring.records.sitting_detail import IncidentRecord, StoredEvidence
from proctoring.server.report.stills import MOST, SIZE, read_stills

STILL = StoredEvidence("a" * 64, "still", "image/jpeg", 91.4, 91.4, 1000, False, "somewhere")
CLIP = replace(STILL, kind="clip", media_type="video/mp4")


def incident(number: int, severity: str = "warning", *evidence: StoredEvidence) -> IncidentRecord:
    return replace(
        INCIDENT, id=f"{number:026}", number=number, severity=severity, evidence=evidence
    )


def photograph(wide: int = 1920, high: int = 1080) -> EvidenceContent:
    target = io.BytesIO()
    Image.effect_noise((wide, high), 60).convert("RGB").save(target, "JPEG", quality=95)
    return EvidenceContent("image/jpeg", target.getvalue())


def test_a_still_is_made_small() -> None:
    found = read_stills([incident(1, "warning", CLIP, STILL)], lambda _: photograph())
    jpeg = found[incident(1).id].jpeg
    with Image.open(io.BytesIO(jpeg)) as picture:
        assert picture.format == "JPEG"
        assert max(picture.size) <= max(SIZE)
    assert len(jpeg) < 100_000


def test_only_so_many_are_read_and_the_worst_incidents_first() -> None:
    small, read = photograph(64, 48), []

    def reading(digest: str) -> EvidenceContent:
        read.append(digest)
        return small

    incidents = [incident(n, "info", STILL) for n in range(MOST)]
    incidents.append(incident(MOST, "violation", STILL))
    found = read_stills(incidents, reading)
    assert len(read) == len(found) == MOST
    assert incidents[-1].id in found


def test_incidents_without_stills_are_left_out() -> None:
    assert read_stills([incident(1), incident(2, "warning", CLIP)], lambda _: photograph()) == {}


def test_what_cannot_be_read_is_said_and_a_store_that_is_away_is_asked_once() -> None:
    asked = []

    def away(digest: str) -> EvidenceContent:
        asked.append(digest)
        raise EvidenceUnavailableError("the store does not answer")

    found = read_stills([incident(n, "warning", STILL) for n in range(5)], away)
    assert len(asked) == 1
    assert {still.problem for still in found.values()} == {"the store does not answer"}
    assert len(found) == 5

    def damaged(_: str) -> EvidenceContent:
        raise EvidenceDamagedError("it was changed")

    assert read_stills([incident(1, "warning", STILL)], damaged)[incident(1).id].problem


def test_bytes_that_are_no_picture_stop_no_report() -> None:
    broken = EvidenceContent("image/jpeg", b"\xff\xd8 nothing")
    found = read_stills([incident(1, "warning", STILL)], lambda _: broken)
    assert found[incident(1).id].problem == "it is no picture"
