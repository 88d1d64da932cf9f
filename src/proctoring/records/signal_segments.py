"""A sitting's inputs of judgement as rows: packed in segments, and as curves over them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Delete, delete

from proctoring.judgement.inputs import JudgementInput
from proctoring.records.packing import pack
from proctoring.records.plot import join, summarise
from proctoring.records.tables import SignalCurveRow

_log = logging.getLogger(__name__)

CURVE_SEGMENTS = 30
"""Segments whose curves are joined into one row: ten minutes, so that a day is drawn from 144 rows
instead of 4,320."""


@dataclass(frozen=True, slots=True)
class Curves:
    """The packed curves of consecutive segments."""

    first_segment: int
    last_segment: int
    start: float
    """Smallest media time in seconds."""
    end: float
    data: bytes

    def row(self, sitting_id: str) -> dict[str, Any]:
        """Values of a row of ``signal_curves``."""
        return {
            "sitting_id": sitting_id,
            "last_segment": self.last_segment,
            "start_media_time": self.start,
            "end_media_time": self.end,
            "data": self.data,
        }

    def delete_parts(self, sitting_id: str) -> Delete:
        """The statement that deletes the rows of single segments that these curves replace."""
        own = delete(SignalCurveRow).filter_by(sitting_id=sitting_id)
        return own.where(
            SignalCurveRow.last_segment >= self.first_segment,
            SignalCurveRow.last_segment < self.last_segment,
        )


@dataclass(frozen=True, slots=True)
class Segment:
    """Consecutive inputs of one sitting, ready to be inserted."""

    row: dict[str, Any] | None
    """Values of a row of ``signal_segments``; ``None``: no input could be packed."""
    curves: Curves | None
    """To be inserted with it: its own, or those of the last ``CURVE_SEGMENTS`` segments."""
    unjoined: tuple[Curves, ...]
    """Curves of the last segments, each in a row of its own, once this one is inserted."""
    unpackable: int
    """Inputs that could not be packed."""


def make_segment(
    sitting_id: str, number: int, inputs: Sequence[JudgementInput], unjoined: tuple[Curves, ...]
) -> Segment:
    """Pack inputs; one that cannot be packed is left out.

    Args:
        sitting_id: the sitting.
        number: the segment's, from 0.
        inputs: in the order in which they were applied.
        unjoined: of the segment before.
    """
    try:
        data = pack(inputs) if inputs else b""
        packed = inputs
    except TypeError as error:
        _log.error("observations cannot be recorded: %s", error)
        packed = [item for item in inputs if _can_be_packed(item)]
        data = pack(packed) if packed else b""
    unpackable = len(inputs) - len(packed)
    if not packed:
        return Segment(None, None, unjoined, unpackable)
    times = [item.time for item in packed]
    curves = Curves(number, number, min(times), max(times), summarise(packed))
    row = {
        "sitting_id": sitting_id,
        "number": number,
        "start_media_time": curves.start,
        "end_media_time": curves.end,
        "input_count": len(packed),
        "data": data,
    }
    unjoined = (*unjoined, curves)
    if len(unjoined) >= CURVE_SEGMENTS:
        return Segment(row, _joined(unjoined), (), unpackable)
    return Segment(row, curves, unjoined, unpackable)


def _joined(parts: Sequence[Curves]) -> Curves:
    return Curves(
        parts[0].first_segment,
        parts[-1].last_segment,
        min(part.start for part in parts),
        max(part.end for part in parts),
        join([part.data for part in parts]),
    )


def _can_be_packed(item: JudgementInput) -> bool:
    try:
        pack([item])
    except TypeError:
        return False
    return True
