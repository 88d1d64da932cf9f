"""One report of a page: JSON text to an observation."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from proctoring.browser.virtual_cameras import is_virtual_camera
from proctoring.errors import BadReportError
from proctoring.observations import BrowserObservation

MAX_REPORT_BYTES = 4096
"""A report has some 200 bytes; a longer one is none."""


class BrowserReport(BaseModel):
    """What a page says about itself. ``None``: it cannot tell."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    capture_time: Annotated[int, Field(ge=0, lt=1 << 63)] | None = None
    """Microseconds, on the clock of the pictures' stamps; ``None``: the arrival counts."""
    visible: bool | None = None
    focused: bool | None = None
    fullscreen: bool | None = None
    second_screen: bool | None = None
    camera: Annotated[str, Field(max_length=300)] | None = Field(default=None, repr=False)
    """The label of the chosen camera."""
    pasted: Annotated[int, Field(ge=0, le=100_000_000)] = 0
    """Characters pasted since the report before."""
    offline: Annotated[float, Field(ge=0, le=86_400, allow_inf_nan=False)] = 0.0
    """Seconds without a network before this report."""


def read_report(text: str) -> BrowserReport:
    """A report from its JSON text.

    Raises:
        BadReportError: too long, no JSON, or something in it is unknown or impossible.
    """
    if len(text.encode(errors="replace")) > MAX_REPORT_BYTES:
        raise BadReportError(f"a report has at most {MAX_REPORT_BYTES} bytes")
    try:
        return BrowserReport.model_validate_json(text)
    except ValidationError as error:
        # Never what was sent: a report holds the label of a device.
        problems = [
            f"{'.'.join(str(part)[:40] for part in found['loc'])}: {found['msg']}".lstrip(": ")
            for found in error.errors(include_input=False, include_url=False)[:5]
        ]
        raise BadReportError(f"not a report: {'; '.join(problems)}") from None


def observe(report: BrowserReport, time: float) -> BrowserObservation:
    """The observation of a report, at media time ``time`` in seconds."""
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
