"""Programs that call themselves cameras, and devices that are some."""

from __future__ import annotations

import pytest

from proctoring.browser.virtual_cameras import is_virtual_camera


@pytest.mark.parametrize(
    "label",
    ["OBS Virtual Camera", "ManyCam Virtual Webcam", "Snap Camera", "XSplit VCam", "NDI Webcam 1",
     "Dummy video device (0x0000)", "mmhmm Camera"],
)  # fmt: skip
def test_programs_are_told_by_their_names(label: str) -> None:
    assert is_virtual_camera(label)


@pytest.mark.parametrize(
    "label",
    ["FaceTime HD Camera", "Logitech BRIO (046d:085e)", "Integrated Camera", "HP TrueVision HD",
     "USB2.0 HD UVC WebCam", "iPhone von Obstler (Camera)", "DroidCam Source 3", "Iriun Webcam"],
)  # fmt: skip
def test_devices_and_telephones_that_serve_as_cameras_are_none(label: str) -> None:
    assert not is_virtual_camera(label)
