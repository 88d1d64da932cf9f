"""Pictures of incidents for a report: few and small."""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

from PIL import Image

from proctoring.errors import (
    EvidenceKeyMissingError,
    EvidenceUnavailableError,
    ProctoringError,
)
from proctoring.incidents import Severity
from proctoring.records.evidence.ledger import EvidenceContent
from proctoring.records.sitting_detail import IncidentRecord
from proctoring.server.report.content import Still

MOST = 40
"""Pictures in a report, one of an incident: about 2 MB."""
SIZE = (480, 480)
"""Pixels at most: in print they are 5 cm wide."""
_QUALITY = 75


def read_stills(
    incidents: Sequence[IncidentRecord], read: Callable[[str], EvidenceContent]
) -> dict[str, Still]:
    """The first still of each of the worst incidents that have one, by the incident's id.

    Args:
        incidents: in the order of the report.
        read: evidence by its digest; may raise a ``ProctoringError``.
    """
    having = [one for one in incidents if _digest(one)]
    worst = sorted(having, key=lambda one: (not one.alerted, -Severity(one.severity).rank))
    found: dict[str, Still] = {}
    for incident in worst[:MOST]:
        try:
            found[incident.id] = Still(jpeg=_small(read(_digest(incident)).data))
        except (EvidenceUnavailableError, EvidenceKeyMissingError) as error:
            # The others would fail alike, each after waiting for the store.
            return found | {one.id: Still(problem=error.detail) for one in worst[len(found) : MOST]}
        except ProctoringError as error:
            found[incident.id] = Still(problem=error.detail)
        except (OSError, Image.DecompressionBombError):
            found[incident.id] = Still(problem="it is no picture")
    return found


def _digest(incident: IncidentRecord) -> str:
    return next((one.digest for one in incident.evidence if one.kind == "still"), "")


def _small(jpeg: bytes) -> bytes:
    target = io.BytesIO()
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
        picture.draft("RGB", SIZE)
        picture.thumbnail(SIZE)
        picture.convert("RGB").save(target, "JPEG", quality=_QUALITY)
    return target.getvalue()
