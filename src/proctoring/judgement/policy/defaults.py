"""The rule of each kind of incident, unless a policy says otherwise."""

from __future__ import annotations

from typing import Any

from proctoring.incidents import LABELS

_GAZE = {"severity": "warning", "persist": 2.0, "closes_after": 0.7, "quiet": 30.0}

_CAMERA = {"severity": "warning", "persist": 3.0, "closes_after": 1.0, "quiet": 30.0}

# A page reports once a second, and at once when something changes.
_BROWSER = {
    "severity": "warning",
    "closes_after": 0.5,
    "quiet": 30.0,
    "hole": 5.0,
    "lost_after": 30.0,
}
_TOLD_ONCE = {"persist": 0.0, "closes_after": 0.0, "lost_after": 5.0}

DEFAULT_RULES: dict[str, dict[str, Any]] = {
    # Sides: 4 of 5 frames kept 12 of 13 short glances. Down: the lids hide the eyes for much of a
    # look at the desk, so 40% of the frames are enough (both measured, see docs/reference/policies.md).
    "gaze.left": {**_GAZE},
    "gaze.right": {**_GAZE},
    "gaze.up": {**_GAZE, "share": 0.6},
    "gaze.down": {**_GAZE, "share": 0.4},
    "head.left": {**_GAZE},
    "head.right": {**_GAZE},
    "head.up": {**_GAZE},
    "head.down": {**_GAZE},
    # The detector that tells nobody from somebody without a face looks once a second: what it has
    # not told yet, or tells differently from look to look, counts as not read.
    "face.absent": {
        "severity": "violation",
        "persist": 3.0,
        "closes_after": 1.0,
        "quiet": 30.0,
        "share": 0.65,
    },
    "face.hidden": {
        "severity": "violation",
        "persist": 3.0,
        "closes_after": 1.0,
        "quiet": 30.0,
        "share": 0.5,
    },
    "person.multiple": {
        "severity": "violation",
        "persist": 1.0,
        "closes_after": 2.0,
        "quiet": 30.0,
        # The object detector looks about once a second, and slower when the machine is busy.
        "hole": 3.0,
    },
    "person.background": {
        "severity": "info",
        "persist": 1.0,
        "closes_after": 2.0,
        "quiet": 30.0,
        "hole": 3.0,
    },
    "object.phone": {
        "severity": "violation",
        "persist": {"looks": 2, "of": 3},
        "closes_after": {"looks": 3},
        "quiet": 30.0,
        "hole": 5.0,
        "lost_after": 30.0,
    },
    "face.spoof": {
        "severity": "violation",
        "persist": 3.0,
        "closes_after": 3.0,
        "quiet": 60.0,
        # Looked at once a second, and slower when the machine is busy; one contrary look of four
        # is bridged.
        "share": 0.7,
        "gap": 1.5,
        "hole": 5.0,
        "lost_after": 30.0,
    },
    "face.mismatch": {
        "severity": "violation",
        "persist": {"looks": 3, "of": 3},
        "closes_after": {"looks": 3},
        "quiet": 60.0,
        # Seen twice a second in doubt, otherwise every ten seconds, and slower on a busy machine.
        "hole": 30.0,
        "lost_after": 60.0,
    },
    "audio.multiple_speakers": {
        "severity": "violation",
        # The detector itself waits until it is sure: one look that hears another voice is enough.
        "persist": 0.0,
        "closes_after": 10.0,
        "quiet": 30.0,
        "hole": 3.0,
    },
    "audio.overlap": {
        "enabled": False,
        "severity": "info",
        "persist": 0.0,
        "closes_after": 3.0,
        "quiet": 30.0,
        "hole": 3.0,
    },
    "audio.phrase": {
        # Only judged where the policy names phrases and the session is transcribed.
        "severity": "warning",
        "persist": 0.0,
        "closes_after": 0.0,
        "quiet": 10.0,
        "lost_after": 5.0,
    },
    "audio.speech": {
        "enabled": False,  # only where the policy asks for silence
        "severity": "info",
        "persist": 1.0,
        "closes_after": 2.0,
        "quiet": 30.0,
        # Sound is observed twice a second: one quiet half second is a pause between two words.
        "gap": 0.6,
        "share": 0.6,
        "hole": 1.5,
    },
    "camera.covered": {**_CAMERA},
    "camera.dark": {**_CAMERA},
    "camera.bright": {**_CAMERA},
    "camera.blurred": {**_CAMERA},
    # Told once a second, and slower when the machine is busy.
    "camera.frozen": {**_CAMERA, "gap": 1.5, "hole": 5.0},
    "camera.moved": {
        "severity": "warning",
        "persist": 0.0,  # it is told when the camera rests again, once
        "closes_after": 1.0,
        "quiet": 30.0,
        "hole": 5.0,
        "lost_after": 5.0,
    },
    # The focus flickers when a notification or a permission is answered.
    "browser.hidden": {**_BROWSER, "persist": 1.0},
    "browser.window_left": {**_BROWSER, "persist": 2.0},
    "browser.fullscreen_left": {**_BROWSER, "persist": 2.0},
    "browser.paste": {**_BROWSER, **_TOLD_ONCE, "quiet": 10.0},
    # Many desks have one: a fact for the reviewer, no accusation.
    "browser.second_screen": {**_BROWSER, "severity": "info", "persist": 3.0, "quiet": 600.0},
    "browser.virtual_camera": {**_BROWSER, "persist": 3.0, "quiet": 600.0},
    "browser.offline": {**_BROWSER, **_TOLD_ONCE, "severity": "info", "quiet": 0.0},
    "liveness.challenge_failed": {
        # Attempts are counted by [challenge]: each failure is one reading, over with the next.
        "severity": "violation",
        "persist": 0.0,
        "closes_after": 0.0,
        "quiet": 0.0,
        "lost_after": 5.0,
    },
    "session.not_ready": {
        # Read from the limit of [enrolment] on, until the candidate is ready.
        "severity": "warning",
        "persist": 0.0,
        "closes_after": 0.0,
        "quiet": 0.0,
        "hole": 3.0,
        "lost_after": 600.0,
    },
    "session.connection_lost": {
        "severity": "info",
        "persist": 5.0,
        "closes_after": 0.0,
        "quiet": 0.0,
        "hole": 3.0,
    },
}
"""The contract's table (design 1.3): what a policy that says nothing about a kind means."""

assert DEFAULT_RULES.keys() == LABELS.keys(), "every kind of incident needs its rule"  # noqa: S101
