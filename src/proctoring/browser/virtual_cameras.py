"""Virtual cameras, recognised by their device labels."""

from __future__ import annotations

import re

_NAMES = (
    r"virtual",  # OBS Virtual Camera, NDI Virtual Input, Unity Video Capture's virtual camera
    r"\bobs\b",
    r"manycam",
    r"snap camera",
    r"xsplit",
    r"splitcam",
    r"\bndi\b",
    r"mmhmm",
    r"youcam",
    r"webcamoid",
    r"v4l2 ?loopback",
    r"dummy video device",  # v4l2loopback's default label
    r"fake_device",  # Chromium's own
)
_PATTERN = re.compile("|".join(_NAMES), re.IGNORECASE)


def is_virtual_camera(label: str) -> bool:
    """Whether a device's label is that of known virtual camera software.

    A hint only: labels can be changed. Software that connects a phone's camera is not included.
    """
    return _PATTERN.search(label) is not None
