"""Parsing one report of the candidate's page, and converting it to an observation."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from proctoring.browser.virtual_cameras import is_virtual_camera
from proctoring.errors import BadReportError
from proctoring.observations import BrowserObservation

MAX_REPORT_BYTES = 4096
"""Size limit; a report has about 200 bytes."""


class BrowserReport(BaseModel):
    """A page's report about itself. ``None``: unknown to the page."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    capture_time: Annotated[int, Field(ge=0, lt=1 << 63)] | None = None
    """Microseconds, on the clock of the frames' capture times; ``None``: the time of arrival is used."""
    visible: bool | None = None
    focused: bool | None = None
    fullscreen: bool | None = None
    second_screen: bool | None = None
    camera: Annotated[str, Field(max_length=300)] | None = Field(default=None, repr=False)
    """The label of the chosen camera."""
    pasted: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    """Characters pasted since the previous report."""
    offline: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = 0.0
    """Seconds without a network before this report."""


def read_report(text: str) -> BrowserReport:
    """Parse a report's JSON text.

    Raises:
        BadReportError: too long, no JSON, or with an unknown or invalid field.
    """
    if len(text.encode(errors="replace")) > MAX_REPORT_BYTES:
        raise BadReportError(f"a report has at most {MAX_REPORT_BYTES} bytes")
    try:
        return BrowserReport.model_validate_json(text)
    except ValidationError as error:
        # Without the input: it may contain the label of a device.
        problems = [
            f"{'.'.join(str(part)[:40] for part in found['loc'])}: {found['msg']}".lstrip(": ")
            for found in error.errors(include_input=False, include_url=False)[:5]
        ]
        raise BadReportError(f"not a report: {'; '.join(problems)}") from None


def observe(report: BrowserReport, time: float) -> BrowserObservation:
    """Convert a report to an observation at media time ``time``, in seconds."""
    return BrowserObservation(
        time=time,
        visible=report.visible,
        focused=report.focused,
        fullscreen=report.fullscreen,
        second_screen=report.second_screen,
        virtual_camera=is_virtual_camera(report.camera) if report.camera else None,
        pasted=report.pasted,
        offline=report.offline,
    )
