"""Errors that cross package boundaries, as a tree.

Each class states what clients need to know: a code, the HTTP status, whether to retry, and the close
code of a socket that ends with it. Classes with subclasses are groups: they set what their members
share and are never raised. Everything is defined here, so that ``docs/reference/errors.md`` and the
clients that decide by close code see all of it.
"""

from __future__ import annotations

from typing import ClassVar


class ProctoringError(Exception):
    """Base of all errors that a user of this package may see."""

    code: ClassVar[str] = "error"
    """Identifies the error for programs; unique among those that are raised."""
    status: ClassVar[int] = 500
    """HTTP status of an answer to a request or to a socket's handshake."""
    retryable: ClassVar[bool] = False
    """Whether the same request, unchanged, may succeed later."""
    retry_after: ClassVar[int | None] = None
    """Seconds to wait before a retry (``Retry-After``); ``None``: the client decides."""
    close_code: ClassVar[int | None] = None
    """Close code of a socket that ends with this error; ``None``: no socket does."""

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail
        """What went wrong, as a sentence for people."""


class InputError(ProctoringError):
    """Group: what was sent cannot be used, and sending it again would fail again."""

    status = 422


class BadRequestError(InputError):
    """A malformed request, or a socket's query that cannot be read."""

    code = "bad_request"
    status = 400


class InvalidRequestError(InputError):
    """A parameter or a field of the body that does not match the schema."""

    code = "invalid_request"


class BodyTooLargeError(InputError):
    """A body that is too large or does not state its length."""

    code = "too_large"
    status = 413


class BadSessionIdError(InputError):
    """An id that no session can have."""

    code = "bad_session_id"
    status = 400


class BadPolicyError(InputError):
    """A policy or an accommodation that does not validate."""

    code = "bad_policy"

    def __init__(self, detail: str, problems: tuple[str, ...] = ()) -> None:
        super().__init__(detail)
        self.problems = problems or (detail,)
        """Each with the name of the policy, and the line where it has one."""


class BadRecordingError(InputError):
    """A recording that cannot be read, or only up to a damaged part."""

    code = "bad_recording"


class BadVoiceError(InputError):
    """A reference recording from which the candidate's voice cannot be learned."""

    code = "bad_voice"


class BadPhotoError(InputError):
    """A reference photo that no face can be compared with."""

    code = "bad_photo"


class BadFrameError(InputError):
    """A frame that cannot be used; the next one may be."""

    code = "bad_frame"


class BadCaptureTimesError(InputError):
    """Capture times in a wrong unit or of a wrong clock: arrival times are used. Sent once a socket."""

    code = "bad_capture_times"


class BadReportError(InputError):
    """A browser's report that cannot be parsed; the next one may be."""

    code = "bad_report"


class TooManyBadMessagesError(InputError):
    """Too many frames or reports in a row that cannot be used."""

    code = "too_many_bad_messages"
    close_code = 4000


class WrongRateError(InputError):
    """Audio that is not 16 kHz, 16 bit, mono."""

    code = "wrong_rate"
    close_code = 4001


class NotBinaryError(InputError):
    """A text message on a socket that takes binary messages only."""

    code = "not_binary"
    close_code = 1003


class AccessError(ProctoringError):
    """Group: the request is not permitted."""

    status = 401


class BadTokenError(AccessError):
    """No token, or one that cannot be used. The detail repeats nothing of it."""

    code = "unauthorised"


class TokenExpiredError(AccessError):
    """The token of an open socket has expired."""

    code = "token_expired"
    close_code = 4003


class ForbiddenError(AccessError):
    """A valid token for something else, or a web page that may not use this server."""

    code = "forbidden"
    status = 403


class NotFoundError(ProctoringError):
    """Group: what the request names does not exist."""

    status = 404


class UnknownPathError(NotFoundError):
    """No route or socket has this path."""

    code = "not_found"


class MethodNotAllowedError(NotFoundError):
    """The route exists, with another method."""

    code = "method_not_allowed"
    status = 405


class UnknownSessionError(NotFoundError):
    """No open session has this id."""

    code = "unknown_session"


class UnknownRecordError(NotFoundError):
    """Nothing is recorded under this id: it never was, or was erased."""

    code = "unknown_record"


class UnknownEvidenceError(NotFoundError):
    """No such evidence is stored."""

    code = "unknown_evidence"


class ReplayIncompleteError(NotFoundError):
    """Some of the events that a listener asked to replay are no longer kept; the rest follows."""

    code = "replay_incomplete"
    status = 410


class ConflictError(ProctoringError):
    """Group: the state of the session or sitting does not permit the request."""

    status = 409


class SessionExistsError(ConflictError):
    """A session with this id is open already."""

    code = "session_exists"


class SittingOpenError(ConflictError):
    """The sitting is still being recorded: end its session first."""

    code = "sitting_open"


class LimitReachedError(ConflictError):
    """The policy permits no further attempt in this session."""

    code = "limit_reached"


class SessionEndedError(ConflictError):
    """The session has ended."""

    code = "ended"
    close_code = 4004


class ReplacedError(ConflictError):
    """A newer socket of the same kind took over the session."""

    code = "replaced"
    close_code = 4009


class TemporaryError(ProctoringError):
    """Group: the cause passes; the same request may succeed later."""

    status = 503
    retryable = True
    retry_after: ClassVar[int | None] = 5


class NotReadyError(TemporaryError):
    """The server is starting or stopping, or could not start."""

    code = "not_ready"
    close_code = 1012


class SessionMovedError(TemporaryError):
    """Another server has the session, or has it now: connect again, to the same address."""

    code = "session_moved"
    close_code = 1012
    retry_after = 1


class DrainingError(TemporaryError):
    """Answered by ``/api/ready`` alone: no session begins here any more, those that are open go on."""

    code = "draining"
    status = 404


class TooManyError(TemporaryError):
    """A limit of this server is reached: of open sessions, or of listeners to one session."""

    code = "too_many"


class OverloadedError(TemporaryError):
    """The sessions that are open use this server's computing time: one more would slow them down."""

    code = "overloaded"
    retry_after = 10


class RateLimitedError(TemporaryError):
    """More requests from one address than are permitted."""

    code = "too_many_requests"
    status = 429
    retry_after = 1


class RecordsUnavailableError(TemporaryError):
    """The database cannot be used now."""

    code = "records_unavailable"
    close_code = 1013


class EvidenceUnavailableError(TemporaryError):
    """The evidence store cannot be reached or used now."""

    code = "evidence_unavailable"


class SessionClosingError(TemporaryError):
    """The previous session with this id has ended and is still being written."""

    code = "session_closing"
    status = 409
    retry_after = 1


class NotNowError(TemporaryError):
    """The session cannot do what is asked for at the moment."""

    code = "not_now"
    status = 409
    retry_after = None


class ErasureBusyError(TemporaryError):
    """Other erasures are being written."""

    code = "erasure_busy"
    status = 409
    retry_after = 1


class TooManyFramesError(TemporaryError):
    """Frames arrive faster than is permitted; the surplus is dropped."""

    code = "too_many_frames"
    status = 429
    retry_after = None


class AnalysisFailedError(TemporaryError):
    """The server failed to analyse a frame, which is lost."""

    code = "analysis_failed"
    status = 500
    retry_after = None


class SlowListenerError(TemporaryError):
    """Too many events waited for a listener that did not read them."""

    code = "slow"
    close_code = 4008
    retry_after = None


class FeatureOffError(ProctoringError):
    """Group: the server runs without what the request needs, until its operator changes that."""

    status = 503


class ModelUnavailableError(FeatureOffError):
    """Weights that cannot be fetched or do not verify; one capability is off."""

    code = "model_unavailable"


class TranscriberUnavailableError(FeatureOffError):
    """Transcription was requested and its engine cannot be used."""

    code = "transcriber_unavailable"


class DiarizationUnavailableError(FeatureOffError):
    """The pyannote pipeline was requested and cannot be loaded."""

    code = "diarization_unavailable"


class RecordsOffError(FeatureOffError):
    """Nothing is recorded: the server runs without a database."""

    code = "records_off"


class EvidenceKeyMissingError(FeatureOffError):
    """The evidence was encrypted with a key that this server does not have."""

    code = "evidence_key_missing"


class EvidenceDamagedError(ProctoringError):
    """Stored evidence that differs from what was stored."""

    code = "evidence_damaged"


class SettingsError(ProctoringError):
    """A setting that cannot work: a port in use, a folder that cannot be written."""

    code = "bad_setting"
