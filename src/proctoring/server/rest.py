"""REST: health, sessions, policies and metrics."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from ulid import ULID

from proctoring import __version__
from proctoring.errors import (
    BadPhotoError,
    BadPolicyError,
    BadVoiceError,
    ForbiddenError,
    LimitReachedError,
    ModelUnavailableError,
    NotNowError,
    NotReadyError,
    OverloadedError,
    SessionClosingError,
    SessionExistsError,
    TooManyError,
    UnknownSessionError,
)
from proctoring.incidents import IncidentChange
from proctoring.server.authorisation import anyone, grant_of, needs
from proctoring.server.error_answers import errors
from proctoring.server.grant import Scope
from proctoring.server.json_body import BoundedRoute
from proctoring.server.recorded import check_recorded
from proctoring.server.schemas import (
    AlertAnswer,
    BriefHealthAnswer,
    CalibrationAnswer,
    CapabilityAnswer,
    ChallengeAnswer,
    ChallengeRequest,
    EnrolmentAnswer,
    FramesAnswer,
    GrantAnswer,
    HealthAnswer,
    MediaAnswer,
    OpenIncidentAnswer,
    PoliciesAnswer,
    PolicyAnswer,
    SessionAnswer,
    SessionRequest,
    SessionsAnswer,
    SoundAnswer,
    TranscriptionAnswer,
    VoiceAnswer,
    VoiceRequest,
)
from proctoring.server.service import Service
from proctoring.server.status import Status
from proctoring.session.media_source import SessionState
from proctoring.session.session import Session
from proctoring.vision.analyser import FACE_RATE

router = APIRouter(route_class=BoundedRoute)


@router.get("/api/health", tags=["service"], dependencies=[anyone])
async def health(request: Request) -> HealthAnswer | BriefHealthAnswer:
    """Status and capabilities of the service; status and access mode only, where tokens are used and
    none is sent. The HTTP status is always 200."""
    service, grant = _service(request), grant_of(request)
    if not grant.scopes:
        return BriefHealthAnswer(
            status=service.status.value,
            access=service.access.value,
            accepting=service.refusal is None,
        )
    refusal = service.refusal
    return HealthAnswer(
        status=service.status.value,
        access=service.access.value,
        accepting=refusal is None,
        refusal="" if refusal is None else refusal.detail,
        grant=GrantAnswer(scopes=sorted(grant.scopes), sessions=list(grant.sessions)),
        detail=_detail(service),
        version=__version__,
        capabilities=[
            CapabilityAnswer(
                name=capability.name,
                available=capability.available,
                reason=capability.reason,
                model=capability.model,
                wanted=capability.wanted,
            )
            for capability in service.capabilities
        ],
        sessions=service.open_sessions,
        workers=service.settings.workers,
        frames_per_second=round(FACE_RATE * service.pool.rate, 1),
        slowed_sessions=service.slowed_sessions,
        busy=round(service.pool.demand.busy, 3),
        needed=round(service.pool.needed, 3),
        connections=len(service.connections),
        refused_connections=service.connections.refused.total() + service.socket_counts.refused,
    )


@router.post(
    "/api/sessions",
    status_code=201,
    tags=["sessions"],
    responses=errors(
        SessionExistsError,
        SessionClosingError,
        BadPolicyError,
        BadPhotoError,
        BadVoiceError,
        NotReadyError,
        TooManyError,
        OverloadedError,
        ModelUnavailableError,
    ),
    dependencies=[needs(Scope.ADMIN, filters=True)],
)
async def create_session(request: Request, wanted: SessionRequest) -> SessionAnswer:
    """Create a session before its first socket, under any policy, with accommodations if needed."""
    service = _service(request)
    policy = service.default_policy
    if wanted.policy is not None and wanted.policy != policy.name:
        policy = service.policies.get(wanted.policy)
    if wanted.accommodations:
        policy = policy.with_accommodations(wanted.accommodations)
    session_id = wanted.session_id or str(ULID())
    if not grant_of(request).covers(session_id):
        raise ForbiddenError("the token is for other sessions")
    service.check_admission(session_id)  # before a photo or voice is learned
    voice = None
    if wanted.reference_voice is not None:
        voice = await service.references.voice(wanted.reference_voice)
    face = None
    if wanted.reference_photo is not None:
        face = await service.references.face(wanted.reference_photo)
    session = await service.create(session_id, policy, mirrored=wanted.mirrored, face=face)
    if voice is not None:
        session.set_speaker_reference(voice)
    return _session_answer(service, session)


@router.put(
    "/api/sessions/{session_id}/voice",
    tags=["sessions"],
    responses=errors(UnknownSessionError, BadVoiceError, NotReadyError, ModelUnavailableError),
    dependencies=[needs(Scope.ADMIN)],
)
async def set_reference_voice(
    request: Request, session_id: str, given: VoiceRequest
) -> VoiceAnswer:
    """Set the candidate's reference voice: other speakers are recognised from the first second on."""
    service = _service(request)
    await _find(service, session_id)
    voice = await service.references.voice(given.reference_voice)
    (await _find(service, session_id)).set_speaker_reference(voice)
    return VoiceAnswer(seconds=round(voice.seconds, 1))


@router.get(
    "/api/sessions",
    tags=["sessions"],
    responses=errors(NotReadyError),
    dependencies=[needs(Scope.REVIEW, Scope.ADMIN, filters=True)],
)
async def list_sessions(request: Request) -> SessionsAnswer:
    """Open sessions that the token covers, oldest first; in a cluster those of all servers."""
    service, grant = _service(request), grant_of(request)
    found, unreachable = [_session_answer(service, session) for session in service.sessions], 0
    if service.cluster is not None:
        others, unreachable = await service.cluster.sessions_elsewhere()
        found += others
        found.sort(key=lambda session: session.started_at)
    covered = [session for session in found if grant.covers(session.session_id)]
    return SessionsAnswer(sessions=covered, unreachable_servers=unreachable)


def live_sessions(service: Service) -> list[dict[str, Any]]:
    """The open sessions of this process as JSON, for another server."""
    try:
        sessions = list(service.sessions)
    except NotReadyError:
        return []
    return [_session_answer(service, session).model_dump(mode="json") for session in sessions]


@router.get(
    "/api/sessions/{session_id}",
    tags=["sessions"],
    responses=errors(UnknownSessionError, NotReadyError),
    dependencies=[needs(Scope.MEDIA, Scope.EVENTS, Scope.REVIEW, Scope.ADMIN)],
)
async def show_session(request: Request, session_id: str) -> SessionAnswer:
    """One open session. 503 while it cannot be recorded, and its sockets are refused."""
    service = _service(request)
    return _session_answer(service, check_recorded(await _find(service, session_id)))


@router.delete(
    "/api/sessions/{session_id}",
    tags=["sessions"],
    responses=errors(UnknownSessionError, NotReadyError),
    dependencies=[needs(Scope.ADMIN)],
)
async def end_session(request: Request, session_id: str) -> SessionAnswer:
    """End a session: its open incidents end and its sockets are closed. Its events can be read for a
    while."""
    service = _service(request)
    session = await _find(service, session_id)
    answer = _session_answer(service, session)
    service.sessions.end(session_id, "ended on request", service.now())
    await service.until_done(session)
    return answer.model_copy(
        update={
            "state": session.state.value,
            "video": False,
            "audio": False,
            "listeners": 0,
            "last_seq": service.outbox.last_seq(session_id),
            "open_incidents": _open_incidents(session),
        }
    )


@router.post(
    "/api/sessions/{session_id}/calibration",
    status_code=202,
    tags=["sessions"],
    dependencies=[needs(Scope.MEDIA, Scope.ADMIN)],
    responses=errors(UnknownSessionError, NotNowError, LimitReachedError, NotReadyError),
)
async def start_calibration(request: Request, session_id: str) -> SessionAnswer:
    """Start a guided calibration; its steps and outcome are events."""
    service = _service(request)
    session = await _find(service, session_id)
    session.request_calibration(service.now())
    return _session_answer(service, session)


@router.post(
    "/api/sessions/{session_id}/challenge",
    status_code=202,
    tags=["sessions"],
    # Not for the candidate's own token: gaze and head are not judged during a challenge.
    dependencies=[needs(Scope.REVIEW, Scope.ADMIN)],
    responses=errors(UnknownSessionError, NotNowError, NotReadyError),
)
async def request_challenge(
    request: Request, session_id: str, wanted: ChallengeRequest | None = None
) -> SessionAnswer:
    """Ask the candidate for a movement; request and outcome are events."""
    service = _service(request)
    session = await _find(service, session_id)
    session.request_challenge(wanted.action if wanted else None, service.now())
    return _session_answer(service, session)


@router.get("/api/policies", tags=["policies"], dependencies=[needs(*Scope, filters=True)])
async def list_policies(request: Request) -> PoliciesAnswer:
    """Policies that sessions can be created with."""
    service = _service(request)
    default = service.default_policy
    policies = {**service.policies.known, default.name: default}
    return PoliciesAnswer(
        policies=[
            PolicyAnswer(name=policy.name, description=policy.description)
            for policy in policies.values()
        ],
        default=default.name,
    )


@router.get(
    "/metrics",
    tags=["service"],
    response_class=Response,
    dependencies=[needs(Scope.METRICS, filters=True)],
)
async def metrics(request: Request) -> Response:
    """Metrics in the text format of Prometheus."""
    return Response(generate_latest(_service(request).metrics), media_type=CONTENT_TYPE_LATEST)


def _service(request: Request) -> Service:
    service: Service = request.app.state.service
    return service


async def _find(service: Service, session_id: str) -> Session:
    session = await service.find(session_id)
    if session is None:
        shown = session_id[:40] + ("..." if len(session_id) > 40 else "")
        raise UnknownSessionError(f"no session {shown} is open")
    return session


def _detail(service: Service) -> str:
    if service.failure:
        return service.failure
    if service.status is Status.STARTING:
        return "models are being fetched or loaded"
    details = [
        f"{capability.name} is off: {capability.reason}"
        for capability in service.capabilities
        if capability.wanted and not capability.available
    ]
    if slowed := service.slowed_sessions:
        subject = "1 session is" if slowed == 1 else f"{slowed} sessions are"
        details.append(f"{subject} analysed at less than the full rate, for want of computing time")
    return "; ".join(details)


def _session_answer(service: Service, session: Session) -> SessionAnswer:
    frames, guidance = session.frames, session.guidance
    return SessionAnswer(
        session_id=session.session_id,
        sitting_id=session.sitting_id,
        state="open" if session.state is SessionState.OPEN else "ended",
        policy=session.policy.name,
        mirrored=session.mirrored,
        started_at=session.started_at,
        media_time=None if session.media_time is None else round(session.media_time, 3),
        video=session.has_video,
        audio=session.has_audio,
        frames_per_second=round(FACE_RATE * session.rate, 1),
        listeners=service.outbox.listeners(session.session_id),
        last_seq=service.outbox.last_seq(session.session_id),
        open_incidents=_open_incidents(session),
        last_alert=None if session.last_alert is None else _alert(session.last_alert),
        enrolment=EnrolmentAnswer(**guidance["enrolment"]),
        calibration=CalibrationAnswer(**guidance["calibration"]),
        challenge=ChallengeAnswer(**guidance["challenge"]),
        media=MediaAnswer(**guidance["media"]),
        frames=FramesAnswer(
            received=frames.received,
            replaced=frames.replaced,
            skipped=frames.skipped,
            analysed=frames.analysed,
            refused=frames.refused,
            failed=frames.failed,
        ),
        sound=SoundAnswer(
            received=round(session.audio.received, 2),
            missing=round(session.audio.missing, 2),
            failed=round(session.audio.failed, 2),
        ),
        transcription=_transcription(session),
    )


def _open_incidents(session: Session) -> list[OpenIncidentAnswer]:
    return [
        OpenIncidentAnswer(**_alert(one).model_dump(), reason=one.reason)
        for one in session.open_incidents
    ]


def _alert(change: IncidentChange) -> AlertAnswer:
    return AlertAnswer(
        kind=change.kind,
        label=change.label,
        severity=change.severity.value,
        started_at=round(change.started_at, 3),
    )


def _transcription(session: Session) -> TranscriptionAnswer | None:
    transcription = session.transcription
    if transcription is None:
        return None
    return TranscriptionAnswer(
        engine=transcription.engine,
        told=session.policy.transcription.publish,
        available=not transcription.trouble,
        reason=transcription.trouble,
        missing=round(transcription.missing, 2),
    )
