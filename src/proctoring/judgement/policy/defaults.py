"""The rule of each kind of incident, unless a policy says otherwise."""

from __future__ import annotations

from typing import Any

from proctoring.incidents import LABELS

_GAZE = {"severity": "warning", "persist": 2.0, "closes_after": 0.7, "cooldown": 30.0}

_CAMERA = {"severity": "warning", "persist": 3.0, "closes_after": 1.0, "cooldown": 30.0}

# The page reports once a second, and immediately when something changes.
_BROWSER = {
    "severity": "warning",
    "closes_after": 0.5,
    "cooldown": 30.0,
    "max_gap": 5.0,
    "stale_after": 30.0,
}
_LOST = {"severity": "info", "closes_after": 0.0, "cooldown": 30.0, "max_gap": 3.0}
_EVENT = {"persist": 0.0, "closes_after": 0.0, "stale_after": 5.0}

DEFAULT_RULES: dict[str, dict[str, Any]] = {
    # Measured (docs/reference/policies.md): requiring 4 of 5 frames kept 12 of 13 short sideways
    # glances. Looking down, the eyelids hide the eyes much of the time, so 40% of the frames suffice.
    "gaze.left": {**_GAZE},
    "gaze.right": {**_GAZE},
    "gaze.up": {**_GAZE, "min_share": 0.6},
    "gaze.down": {**_GAZE, "min_share": 0.4},
    "head.left": {**_GAZE},
    "head.right": {**_GAZE},
    "head.up": {**_GAZE},
    "head.down": {**_GAZE},
    # The object detector, which distinguishes an absent person from a hidden face, runs about once a
    # second. Until it has run, and while its results alternate, readings are unreadable.
    "face.absent": {
        "severity": "violation",
        "persist": 3.0,
        "closes_after": 1.0,
        "cooldown": 30.0,
        "min_share": 0.65,
    },
    "face.hidden": {
        "severity": "violation",
        "persist": 3.0,
        "closes_after": 1.0,
        "cooldown": 30.0,
        "min_share": 0.5,
    },
    "person.multiple": {
        "severity": "violation",
        "persist": 1.0,
        "closes_after": 2.0,
        "cooldown": 30.0,
        # The object detector runs about once a second, less often on a busy machine.
        "max_gap": 3.0,
    },
    "person.background": {
        "severity": "info",
        "persist": 1.0,
        "closes_after": 2.0,
        "cooldown": 30.0,
        "max_gap": 3.0,
    },
    "object.phone": {
        "severity": "violation",
        "persist": {"hits": 2, "of": 3},
        "closes_after": {"misses": 3},
        "cooldown": 30.0,
        "max_gap": 5.0,
        "stale_after": 30.0,
    },
    "face.spoof": {
        "severity": "violation",
        "persist": 3.0,
        "closes_after": 3.0,
        "cooldown": 60.0,
        # Measured once a second, less often on a busy machine; one contrary reading of four is
        # bridged.
        "min_share": 0.7,
        "max_dropout": 1.5,
        "max_gap": 5.0,
        "stale_after": 30.0,
    },
    "face.motionless": {
        "severity": "warning",
        # Holds from 20 s on, when blinks are first counted: it starts after 55 s. People who stare are as
        # still for 10 to 14 s (docs/accuracy.md): the time distinguishes them from a photo.
        "persist": 35.0,
        "closes_after": 3.0,
        "cooldown": 120.0,
        "min_share": 0.7,
        "max_dropout": 1.5,
        "max_gap": 5.0,
        "stale_after": 30.0,
    },
    "face.mismatch": {
        "severity": "violation",
        "persist": {"hits": 3, "of": 3},
        "closes_after": {"misses": 3},
        "cooldown": 60.0,
        # Compared every ten seconds, twice a second in doubt, less often on a busy machine.
        "max_gap": 30.0,
        "stale_after": 60.0,
    },
    "face.unverified": {
        "severity": "info",
        # A face that cannot be compared is tried again every second; a hand before it is no incident.
        "persist": 20.0,
        "closes_after": 5.0,
        "cooldown": 300.0,
        "min_share": 0.7,
        "max_dropout": 2.5,
        "max_gap": 15.0,
        "stale_after": 30.0,
    },
    "audio.multiple_speakers": {
        "severity": "violation",
        # The diarization itself waits until it is sure: one reading suffices.
        "persist": 0.0,
        "closes_after": 10.0,
        "cooldown": 30.0,
        "max_gap": 3.0,
    },
    "audio.overlap": {
        "enabled": False,
        "severity": "info",
        "persist": 0.0,
        "closes_after": 3.0,
        "cooldown": 30.0,
        "max_gap": 3.0,
    },
    "audio.phrase": {
        # Only judged if the policy lists phrases and the session is transcribed.
        "severity": "warning",
        "persist": 0.0,
        "closes_after": 0.0,
        "cooldown": 10.0,
        "stale_after": 5.0,
    },
    "audio.speech": {
        "enabled": False,  # for policies that require silence
        "severity": "info",
        "persist": 1.0,
        "closes_after": 2.0,
        "cooldown": 30.0,
        # Audio is analysed twice a second: half a second without speech is a pause between words.
        "max_dropout": 0.6,
        "min_share": 0.6,
        "max_gap": 1.5,
    },
    # Seconds of silence in a row. Digital silence is also what some noise suppressors make of a quiet
    # room: the candidate is told first, and may end it with a word.
    "audio.silent": {
        "severity": "info",
        "warning_after": 300.0,
        "persist": 120.0,
        "closes_after": 0.5,
        "cooldown": 60.0,
        "max_gap": 3.0,
    },
    # What arrives is reported once a second while anything is missing.
    "audio.lost": {**_LOST, "warning_after": 60.0, "persist": 10.0},
    "camera.covered": {**_CAMERA},
    "camera.dark": {**_CAMERA},
    "camera.bright": {**_CAMERA},
    "camera.blurred": {**_CAMERA},
    # Faces are looked for in the turned picture twice a second, four times in a row: certain after two
    # seconds.
    "camera.turned": {**_CAMERA, "severity": "info", "warning_after": 30.0, "persist": 1.0},
    # Measured once a second, less often on a busy machine.
    "camera.frozen": {**_CAMERA, "max_dropout": 1.5, "max_gap": 5.0},
    "camera.looped": {
        "severity": "violation",
        # Several different pictures have returned in their order, pixel for pixel: that is certain.
        "persist": 0.0,
        "closes_after": 3.0,
        "cooldown": 60.0,
        "max_gap": 5.0,
        "stale_after": 30.0,
    },
    "camera.moved": {
        "severity": "warning",
        "persist": 0.0,  # reported once, when the camera rests again
        "closes_after": 1.0,
        "cooldown": 30.0,
        "max_gap": 5.0,
        "stale_after": 5.0,
    },
    "camera.lost": {**_LOST, "warning_after": 30.0, "persist": 5.0},
    # Answering a notification or a permission request takes the focus away briefly.
    "browser.hidden": {**_BROWSER, "persist": 1.0},
    "browser.window_left": {**_BROWSER, "persist": 2.0},
    "browser.fullscreen_left": {**_BROWSER, "persist": 2.0},
    "browser.paste": {**_BROWSER, **_EVENT, "cooldown": 10.0},
    # Common on honest desks: information for the reviewer.
    "browser.second_screen": {**_BROWSER, "severity": "info", "persist": 3.0, "cooldown": 600.0},
    "browser.virtual_camera": {**_BROWSER, "persist": 3.0, "cooldown": 600.0},
    "browser.offline": {**_BROWSER, **_EVENT, "severity": "info", "cooldown": 0.0},
    "liveness.challenge_failed": {
        # Attempts are counted by [challenge]: each failure is one reading; the next one ends it.
        "severity": "violation",
        "persist": 0.0,
        "closes_after": 0.0,
        "cooldown": 0.0,
        "stale_after": 5.0,
    },
    "liveness.unread": {
        # Light, a small face or a picture without colour: nobody's fault, but an attack would not be
        # noticed meanwhile.
        "severity": "info",
        "persist": 30.0,
        "closes_after": 10.0,
        "cooldown": 600.0,
        "max_dropout": 3.0,
        "max_gap": 5.0,
        "stale_after": 30.0,
    },
    "session.not_ready": {
        # Holds from the time limit of [enrolment] on, until the candidate is ready.
        "severity": "warning",
        "persist": 0.0,
        "closes_after": 0.0,
        "cooldown": 0.0,
        "max_gap": 3.0,
        "stale_after": 600.0,
    },
    "session.connection_lost": {
        "severity": "info",
        "persist": 5.0,
        "closes_after": 0.0,
        "cooldown": 0.0,
        "max_gap": 3.0,
    },
    # A client that reconnects before its old socket is known to be dead does the same.
    "session.taken_over": {**_EVENT, "severity": "info", "cooldown": 30.0},
    "session.not_analysed": {
        **_LOST,
        "warning_after": 30.0,
        "persist": 3.0,
        # One frame in three or four seconds leaves everything else unjudged too.
        "min_share": 0.6,
        "max_dropout": 1.2,
        "closes_after": 3.0,
    },
}
"""Kind of incident to its rule, unless a policy overrides it. Clients rely on these values."""

assert DEFAULT_RULES.keys() == LABELS.keys(), "every kind of incident needs its rule"  # noqa: S101
