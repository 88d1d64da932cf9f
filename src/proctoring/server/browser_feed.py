"""Reports from one page of the candidate's browser, and errors to it."""

from __future__ import annotations

from proctoring.browser.report import read_report
from proctoring.errors import (
    BadCaptureTimesError,
    BadReportError,
    SessionEndedError,
    TooManyBadMessagesError,
)
from proctoring.server.outbound import Outbound
from proctoring.session.media_source import SessionState
from proctoring.session.session import Session

NOT_ON_CLOCK = (
    "{} is not on the clock of the frames' capture times, in microseconds: arrival is used"
)
MAX_BAD_REPORTS = 20
"""Consecutive reports that cannot be parsed, after which the socket is closed."""


class BrowserFeed(Outbound):
    """One browser socket. For the event loop. Several pages of a session may report at once."""

    def __init__(self, session: Session) -> None:
        super().__init__("browser")
        self._session = session
        self._bad_in_row = 0
        self._clock_reported = False

    def receive(self, text: str, now: float) -> None:
        """Parse one message and pass the report to the session."""
        if self._session.state is SessionState.MOVED:
            self.moved("the session goes on at another server")
            return
        if self._session.state is SessionState.ENDED:
            self.close(SessionEndedError("the session has ended"))
            return
        try:
            report = read_report(text)
        except BadReportError as error:
            self._bad_in_row += 1
            self.error(error)
            if self._bad_in_row >= MAX_BAD_REPORTS:
                reason = f"{MAX_BAD_REPORTS} reports in a row could not be understood"
                self.close(TooManyBadMessagesError(reason))
            return
        self._bad_in_row = 0
        self._check_capture_time(report.capture_time, now)
        self._session.receive_report(report, now)

    def _check_capture_time(self, capture: int | None, now: float) -> None:
        """Tell the client, once, that its capture times are not those of the frames."""
        if self._clock_reported or capture is None or self._session.fits_clock(capture, now):
            return
        self._clock_reported = True
        self.error(BadCaptureTimesError(NOT_ON_CLOCK.format("capture_time")))
