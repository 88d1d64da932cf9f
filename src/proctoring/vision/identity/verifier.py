"""Verifies that a session's candidate is still the person of the session's reference.

The reference is the mean embedding of the first good samples of a single face, or that of a photo.
Comparisons are rare, unless one person could have been replaced by another: the face was lost, the
camera was covered, dark or frozen, nobody was there. Then several probes are taken in quick succession
and averaged: a single one errs four times as often (docs/accuracy.md). A face that differs is compared
by halves too, since a mask or a hand changes it as much as another person does.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace

from proctoring.observations import (
    Identity,
    ImageQuality,
    InjectionIndicators,
    NotRead,
    VisibleHalf,
)
from proctoring.vision.frame import Pixels
from proctoring.vision.identity.embedding import (
    Embedding,
    FaceEmbedder,
    distance,
    mean_embedding,
)
from proctoring.vision.identity.halves import FaceHalves, compare_halves, describe_halves
from proctoring.vision.identity.quality import rejection_reason
from proctoring.vision.identity.reference import FaceReference, mean_reference, reference_from
from proctoring.vision.landmarks import Mesh

REFERENCE_SAMPLES = 5
"""Samples that make the reference, a second apart."""
VERIFICATION_PERIOD = 10.0
"""Seconds between comparisons while the face is tracked without a break."""
_REFERENCE_PERIOD = 1.0
"""Seconds between samples of the reference, and after a face that could not be compared."""
_BURST_PERIOD, BURST_PROBES = 0.5, 6
"""Seconds between probes, and their number, after an interruption."""
_DOUBTFUL_PERIOD = 1.0
_DOUBTFUL = 0.36
"""Distance from which the next comparison follows soon (every ``_DOUBTFUL_PERIOD`` seconds once enough
probes are averaged): three quarters of the probes of the right person are below it, even on another day."""
_MAX_SPREAD = 0.42
"""Distance from the mean above which a sample starts the reference anew."""
_AVERAGED, _AVERAGED_SECONDS = 5, 15.0
"""Number of probes that are averaged, and their greatest age."""

_COVERED_STRUCTURE, _COVERED_DETAIL, _DARK = 2.5, 1.1, 25.0
"""Limits of structure and detail below which the camera is covered, and of brightness below which it is
dark (``vision/camera.py``)."""
_FROZEN_SECONDS = 1.0
"""Seconds of the same picture in which a person could have been replaced."""
_ABSENCE_SECONDS = 3.0
"""Seconds without a face that are an absence; shorter ones are breaks in tracking."""
_ROUTINE = "now and then"
"""Trigger of comparisons without an interruption."""
_AT_FIRST = "as the session began"
"""Trigger of the first ones."""


@dataclass(frozen=True, slots=True, eq=False)
class Probe:
    """A face that was compared. Biometric data: never logged."""

    time: float
    """Media time."""
    whole: Embedding = field(repr=False)
    halves: FaceHalves | None = field(repr=False)
    """``None``: the whole face is alike."""


@dataclass(frozen=True, slots=True)
class VerifierState:
    """When the candidate is compared, and what came of it; no biometric data."""

    from_photo: bool = False
    """Whether the reference is a given photo."""
    begun: bool = False
    """Whether there was a reference, or a sample of one."""
    probes: tuple[float, ...] = ()
    """Media times of the probes that are averaged."""
    looks: tuple[tuple[float, VisibleHalf], ...] = ()
    """Comparisons by halves of the last ``_AVERAGED_SECONDS``."""
    half_looks: int = 0
    """Their number since the whole face has differed."""
    track: int | None = None
    lost_at: float | None = None
    obstruction: str = ""
    """What happened to the camera while the face was lost: "covered" or "dark"."""
    frozen: bool = False
    trigger: str = _AT_FIRST
    burst: int = 0
    """Probes that are still to come in quick succession."""
    in_doubt: bool = False
    """Whether the previous probe was at ``_DOUBTFUL`` or more from the reference."""
    next: float = float("-inf")
    """Media time of the next comparison."""


@dataclass(frozen=True, slots=True, eq=False)
class VerifierFaces:
    """The faces that are compared. Biometric data: never logged, kept only if the policy allows."""

    reference: FaceReference | None = field(default=None, repr=False)
    first: tuple[FaceReference, ...] = field(default=(), repr=False)
    """Samples of a reference that is not complete."""
    probes: tuple[Probe, ...] = field(default=(), repr=False)


class IdentityVerifier:
    """Compares one session's candidate with its reference.

    Args:
        embedder: shared by all sessions; ``None``: identity is not verified.
        reference: from a photo; ``None``: the first seconds make the reference.
        mirrored: whether the session's frames are mirrored.
        state: of a continued session.
        faces: its faces. If there is no reference among them, ``reference`` stands in, and without that one
            the next seconds make a new one.
    """

    def __init__(
        self,
        embedder: FaceEmbedder | None,
        *,
        reference: FaceReference | None = None,
        mirrored: bool = False,
        state: VerifierState | None = None,
        faces: VerifierFaces | None = None,
    ) -> None:
        faces = faces or VerifierFaces()
        self._embedder = embedder
        self._mirrored = mirrored
        known = faces.reference is not None
        self.reference = faces.reference if known else reference
        """``None`` until it is known. Biometric data: leaves the process only if the policy allows."""
        if state is None:
            state = VerifierState(burst=BURST_PROBES if self.reference is not None else 0)
        self._photo = state.from_photo if known else reference is not None
        self._first = list(faces.first)
        probes = [probe for probe in faces.probes if probe.time in state.probes]
        self._probes: deque[Probe] = deque(probes, maxlen=_AVERAGED)
        self._looks = deque(state.looks)
        self._half_looks = state.half_looks
        self._track = state.track
        self._lost_at = state.lost_at
        self._obstruction = state.obstruction
        self._frozen = state.frozen
        self._trigger = state.trigger
        self._burst = state.burst
        self._in_doubt = state.in_doubt
        lost = state.begun and self.reference is None and not self._first
        self._next = float("-inf") if lost else state.next

    @property
    def state(self) -> VerifierState:
        """For a snapshot."""
        return VerifierState(
            self._photo,
            self.reference is not None or bool(self._first),
            tuple(probe.time for probe in self._probes),
            tuple(self._looks),
            self._half_looks,
            self._track,
            self._lost_at,
            self._obstruction,
            self._frozen,
            self._trigger,
            self._burst,
            self._in_doubt,
            self._next,
        )

    @property
    def faces(self) -> VerifierFaces:
        """For a snapshot. Biometric data."""
        return VerifierFaces(self.reference, tuple(self._first), tuple(self._probes))

    def update(
        self,
        time: float,
        track: int | None,
        camera: ImageQuality | None,
        stream: InjectionIndicators | None,
    ) -> None:
        """Follow interruptions, in every analysed frame.

        Args:
            time: media time; must rise.
            track: the candidate's; ``None``: the face is not in this frame.
            camera: quality of this frame.
            stream: latest indicators of the stream.
        """
        if stream is not None and stream.unchanged_for >= _FROZEN_SECONDS:
            self._frozen = True
        elif stream is not None and self._frozen:
            self._frozen = False
            self._start_burst(time, "after the picture stood still")
        if track is None:
            if self._lost_at is None:
                self._lost_at = time
            self._obstruction = _obstruction(camera) or self._obstruction
            return
        if self._track is not None and (track != self._track or self._lost_at is not None):
            away = 0.0 if self._lost_at is None else time - self._lost_at
            if self._obstruction:
                trigger = f"after the camera was {self._obstruction}"
            elif away >= _ABSENCE_SECONDS:
                trigger = f"after {away:.0f} s without the face"
            else:
                trigger = "after the face was lost from sight"
            self._start_burst(time, trigger)
        self._track, self._lost_at, self._obstruction = track, None, ""

    def look_again(self, time: float) -> None:
        """Compare in this frame, without an interruption: the face is suddenly another picture."""
        if self.reference is not None:
            self._next = min(self._next, time)

    def is_due(self, time: float) -> bool:
        """Whether a comparison is due in a frame with the candidate's face."""
        return self._embedder is not None and time >= self._next

    def verify(
        self, time: float, pixels: Pixels, mesh: Mesh, *, alone: bool, slowness: float = 1.0
    ) -> tuple[Identity | None, NotRead | None]:
        """Compare the candidate's face, after ``update`` with the same frame.

        Args:
            time: media time.
            pixels: the frame.
            mesh: the candidate's landmarks.
            alone: whether it is the only face: only then may it become the reference.
            slowness: factor, 1 or more, by which all periods are longer at a reduced rate.

        Returns:
            The comparison, and why it is incomplete or absent; neither when the reference has just been
            completed.
        """
        assert self._embedder is not None and self._track is not None  # noqa: PT018, S101
        reason = rejection_reason(pixels, mesh)
        if not reason and self.reference is None and not alone:
            reason = "more than one face, and no reference yet"
        if reason:
            self._next = time + _REFERENCE_PERIOD * slowness
            return None, NotRead("identity", reason)
        face = self._embedder.aligned(pixels, mesh, mirrored=self._mirrored)
        if self.reference is None:
            self._next = time + _REFERENCE_PERIOD * slowness
            return None, self._add_reference_sample(reference_from(self._embedder, (face,)))
        embedding = self._embedder.embed_aligned(face)
        doubtful = distance(embedding, self.reference.whole) >= _DOUBTFUL
        if not self._burst and doubtful:
            # Earlier probes may have been of another person.
            if self._trigger == _ROUTINE and not self._in_doubt:
                self._forget()
            self._in_doubt = True
        else:
            self._in_doubt = False
        halves = describe_halves(self._embedder, face) if doubtful else None
        self._probes.append(Probe(time, embedding, halves))
        while time - self._probes[0].time > _AVERAGED_SECONDS:
            self._probes.popleft()
        identity = self._compared(time, self._track, self.reference)
        self._next = time + slowness * self._period_after(identity)
        return identity, _why_incomplete(identity)

    def _compared(self, time: float, track: int, reference: FaceReference) -> Identity:
        """The mean of the probes against the reference."""
        probe = mean_embedding(tuple(probe.whole for probe in self._probes))
        halves = [probe.halves for probe in self._probes if probe.halves is not None]
        return Identity(
            track=track,
            distance=distance(probe, reference.whole),
            comparisons=len(self._probes),
            trigger=self._trigger,
            from_photo=self._photo,
            visible=self._best_half(time, compare_halves(reference.halves, halves))
            if halves
            else None,
        )

    def _best_half(self, time: float, half: VisibleHalf) -> VisibleHalf:
        """The comparison by halves with the greatest evidence, after adding this one."""
        self._half_looks += 1
        self._looks.append((time, half))
        while time - self._looks[0][0] > _AVERAGED_SECONDS:
            self._looks.popleft()
        best = max((look for _, look in self._looks), key=lambda look: look.evidence)
        return replace(best, looks=self._half_looks)

    def _forget(self) -> None:
        """Discard the probes: the next ones may be of another person."""
        self._probes.clear()
        self._looks.clear()
        self._half_looks = 0

    def _add_reference_sample(self, sample: FaceReference) -> NotRead | None:
        if self._first:
            mean = mean_embedding(tuple(earlier.whole for earlier in self._first))
            if distance(sample.whole, mean) > _MAX_SPREAD:
                self._first.clear()
        self._first.append(sample)
        if len(self._first) < REFERENCE_SAMPLES:
            return NotRead("identity", "the reference is not complete yet")
        self.reference = mean_reference(self._first)
        self._first.clear()
        self._trigger = _ROUTINE
        return None

    def _period_after(self, identity: Identity) -> float:
        """Seconds until the next comparison."""
        if self._burst > 0:
            self._burst -= 1
            return _BURST_PERIOD
        if identity.distance >= _DOUBTFUL:
            return _BURST_PERIOD if identity.comparisons < _AVERAGED else _DOUBTFUL_PERIOD
        self._trigger = _ROUTINE
        return VERIFICATION_PERIOD

    def _start_burst(self, time: float, trigger: str) -> None:
        self._forget()
        self._trigger, self._burst, self._next = trigger, BURST_PROBES, time


def _why_incomplete(identity: Identity) -> NotRead | None:
    half = identity.visible
    if half is None or half.evidence < 0:
        return None
    reason = f"a part of the face seems to be covered: only its {half.name} is compared"
    return NotRead("identity of the whole face", reason)


def _obstruction(camera: ImageQuality | None) -> str:
    if camera is None:
        return ""
    if camera.structure < _COVERED_STRUCTURE and camera.detail < _COVERED_DETAIL:
        return "covered"
    return "dark" if camera.brightness < _DARK else ""
