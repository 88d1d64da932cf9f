"""What the candidate is told to do about media that does not arrive, is turned or is not analysed."""

from __future__ import annotations

from proctoring.judgement.arrival import are_unreadable
from proctoring.judgement.enrolment import MISSING
from proctoring.judgement.state import JudgementState

PROBLEMS: dict[str, str] = {
    "connection_lost": "Nothing arrives from you: check your network.",
    "camera_lost": "No pictures arrive: check that your camera is connected and switched on.",
    "picture_turned": MISSING["picture_turned"],
    "sound_lost": "No sound arrives: check that your microphone is connected and not muted.",
    "microphone_silent": (
        "Your microphone gives no sound at all: check that it is not muted, then say a few words."
    ),
    "pictures_unreadable": (
        "Your pictures arrive and cannot be read: load this page again, or use another browser."
    ),
    "not_analysed": (
        "The service does not analyse your pictures at the moment. This is not your fault: "
        "stay as you are."
    ),
}
"""Codes, and the instructions for the candidate."""

_CODES = {
    "session.connection_lost": "connection_lost",
    "camera.lost": "camera_lost",
    "camera.turned": "picture_turned",
    "audio.lost": "sound_lost",
    "audio.silent": "microphone_silent",
    "session.not_analysed": "not_analysed",
}
"""Kind of incident to its code in ``PROBLEMS``."""


_ABOUT_PICTURES = ("connection_lost", "camera_lost", "not_analysed")


def media_problems(state: JudgementState) -> tuple[str, ...]:
    """Codes (keys of ``PROBLEMS``) of what is wrong with the media now, each once."""
    found = (
        code
        for kind, code in _CODES.items()
        if (known := state.kinds.get(kind)) is not None and known.incident is not None
    )
    if are_unreadable(state.unanalysed):  # whatever follows from it
        found = ("pictures_unreadable" if code in _ABOUT_PICTURES else code for code in found)
    return tuple(dict.fromkeys(found))
