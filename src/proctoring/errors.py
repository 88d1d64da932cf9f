"""Errors that cross floors. Each carries a ``code`` for machines and a sentence for people."""

from __future__ import annotations


class ProctoringError(Exception):
    """Base of all errors that a user of this package may see."""

    code = "error"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


class BadFrameError(ProctoringError):
    """A picture that cannot be used; it costs that frame alone."""

    code = "bad_frame"


class BadReportError(ProctoringError):
    """A browser's report that cannot be understood; it costs that report alone."""

    code = "bad_report"


class BadPolicyError(ProctoringError):
    """A policy or an accommodation that does not validate."""

    code = "bad_policy"


class BadRecordingError(ProctoringError):
    """A recording that cannot be read, or only up to a damaged part."""

    code = "bad_recording"


class BadVoiceError(ProctoringError):
    """A reference recording from which the candidate's voice cannot be learned."""

    code = "bad_voice"


class BadPhotoError(ProctoringError):
    """A reference photo with which nobody can be compared."""

    code = "bad_photo"


class BadRequestError(ProctoringError):
    """Something asked for in a way that cannot be understood."""

    code = "bad_request"


class BadSessionIdError(ProctoringError):
    """A name that no session can have."""

    code = "bad_session_id"


class SessionExistsError(ProctoringError):
    """A session of this name is open already."""

    code = "session_exists"


class NotNowError(ProctoringError):
    """What is asked for cannot be done now."""

    code = "not_now"


class UnknownSessionError(ProctoringError):
    """No open session has this name."""

    code = "unknown_session"


class UnknownRecordError(ProctoringError):
    """Nothing of this id is kept: it never was, or was erased."""

    code = "unknown_record"


class RecordsUnavailableError(ProctoringError):
    """The database cannot be used now; later may be better."""

    code = "records_unavailable"


class TooManyError(ProctoringError):
    """A bound of this server is reached: of sessions, or of listeners to one session."""

    code = "too_many"


class NotReadyError(ProctoringError):
    """The server starts, stops or could not start; later may be better."""

    code = "not_ready"


class EvidenceUnavailableError(ProctoringError):
    """The evidence store cannot be reached or used now, or has not the key."""

    code = "evidence_unavailable"


class UnknownEvidenceError(ProctoringError):
    """No such evidence is stored."""

    code = "unknown_evidence"


class EvidenceDamagedError(ProctoringError):
    """What is stored is not what was put there."""

    code = "evidence_damaged"


class BadTokenError(ProctoringError):
    """No token, or one that cannot be used. The detail repeats nothing of it."""

    code = "unauthorised"


class ForbiddenError(ProctoringError):
    """A good token, for something else."""

    code = "forbidden"


class ModelUnavailableError(ProctoringError):
    """Weights that cannot be had or do not verify; turns one capability off."""

    code = "model_unavailable"


class DiarizationUnavailableError(ProctoringError):
    """The pyannote pipeline was requested and cannot be loaded."""

    code = "diarization_unavailable"


class SettingsError(ProctoringError):
    """A setting that cannot work: a port in use, an unwritable folder."""

    code = "bad_setting"
