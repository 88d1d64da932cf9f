"""Messages to the client of one video socket: observations, errors, how fast to send."""

from __future__ import annotations

import json
from collections.abc import Callable

from proctoring.errors import (
    AnalysisFailedError,
    BadCaptureTimesError,
    BadFrameError,
    TooManyBadMessagesError,
)
from proctoring.server.observation_json import observation_text
from proctoring.server.outbound import Outbound
from proctoring.session.capture_times import CaptureTimeCheck
from proctoring.session.load import Slowed
from proctoring.session.messages import ReceivedFrame
from proctoring.settings import Settings
from proctoring.vision.analyser import FACE_RATE, FrameAnalysis

MAX_BAD_FRAMES = 20
"""Consecutive frames that cannot be used, after which the socket is closed."""


class VideoFeed(Outbound):
    """A session's ``MediaSource`` and ``FrameReply`` for one video socket.

    Args:
        observe: whether to send observations.
        landmarks: whether observations contain landmarks.
        now: the clock of the frames' arrival times, seconds.
    """

    def __init__(
        self, settings: Settings, *, observe: bool, landmarks: bool, now: Callable[[], float]
    ) -> None:
        super().__init__("video")
        self._settings = settings
        self._observe = observe
        self._landmarks = landmarks
        self._now = now
        self._bad_in_row = 0
        self._capture_times = CaptureTimeCheck()

    # MediaSource, on the event loop.

    def flow(self, rate: float, slowed: Slowed) -> None:
        """Tell the client how fast to send, and why; ``rate`` is a share of the full rate."""
        flow = {
            "frames_per_second": round(FACE_RATE * rate, 1),
            "max_width": self._settings.frame_width,
            "max_height": self._settings.frame_height,
            "reason": slowed.value,
        }
        self.send_first(json.dumps({"flow": flow}))

    # FrameReply, on worker threads.

    def analysed(self, frame: ReceivedFrame, analysis: FrameAnalysis, decode_ms: float) -> None:
        """A frame was analysed."""
        text = None
        if self._observe:
            text = observation_text(
                analysis,
                capture=frame.capture,
                decode_ms=decode_ms,
                latency_ms=(self._now() - frame.arrived) * 1000,
                landmarks=self._landmarks,
            )
        self.call(self._good_frame, text)

    def refused(self, error: BadFrameError) -> None:
        """A frame could not be decoded."""
        self.call(self.bad_frame, error)

    def failed(self) -> None:
        """The analysis of a frame failed."""
        self.call(self.error, AnalysisFailedError("the frame could not be analysed"))

    # On the event loop.

    def check_capture_time(self, capture: int | None, now: float) -> None:
        """Tell the client, once, that its capture times cannot be used."""
        fault = "" if capture is None else self._capture_times.add(capture, now)
        if fault:
            self.error(
                BadCaptureTimesError(f"{fault}; arrival times are used where they do not fit")
            )

    def bad_frame(self, error: BadFrameError) -> None:
        """Report a bad frame; close the socket after ``MAX_BAD_FRAMES`` of them."""
        self.error(error)
        self._bad_in_row += 1
        if self._bad_in_row >= MAX_BAD_FRAMES:
            reason = f"{MAX_BAD_FRAMES} frames in a row could not be used"
            self.close(TooManyBadMessagesError(reason))

    def _good_frame(self, text: str | None) -> None:
        self._bad_in_row = 0
        if text is not None:
            self.observation(text)
