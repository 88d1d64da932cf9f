"""One session's candidate compared with the session's reference, when there is a reason to.

The reference is the mean of the first good looks at a single, steady face, or comes from a photo.
Later looks are rare, unless something happened in which one person could have become another: the
face was lost, the camera was covered, dark or stood still, nobody was there. Then several looks are
taken one after another and averaged: one look alone errs four times as often (docs/accuracy.md).
"""

from __future__ import annotations

from collections import deque

from proctoring.observations import Identity, ImageQuality, InjectionIndicators, NotRead
from proctoring.vision.frame import Pixels
from proctoring.vision.identity.embedding import (
    Embedding,
    FaceEmbedder,
    distance,
    mean_embedding,
)
from proctoring.vision.identity.quality import rejection_reason
from proctoring.vision.landmarks import Mesh

REFERENCE_SAMPLES = 5
"""Good looks that make the reference, a second apart."""
VERIFICATION_PERIOD = 10.0
"""Seconds between looks at a face that was never out of sight."""
_REFERENCE_PERIOD = 1.0
_BURST_PERIOD, BURST_PROBES = 0.5, 6
"""After an interruption: so many looks, so far apart."""
_DOUBTFUL_PERIOD = 1.0
_DOUBTFUL = 0.36
"""Distance from which a look is worth another one soon: three quarters of the looks at the right
person, even on another day, are below."""
_ONE_PERSON = 0.42
"""Looks that are further apart do not make one reference together."""
_AVERAGED, _AVERAGED_SECONDS = 5, 15.0
"""How many looks are averaged, none older than this."""

_COVERED_STRUCTURE, _COVERED_DETAIL, _DARK = 2.5, 1.1, 25.0
"""Whether a lost face was lost in a covered or dark picture (``vision/camera.py``)."""
_STOOD_STILL = 1.0
"""Seconds of one and the same picture that could hide something."""
_ABSENCE = 3.0
"""Seconds without a face that are an absence; shorter ones are breaks in following it."""


class IdentityVerifier:
    """What is known about who the candidate is. Small, plain state.

    Args:
        embedder: shared by all sessions; ``None``: nothing is looked at.
        photo: embedding of a reference photo; otherwise the first seconds make the reference.
        mirrored: whether the session's pictures are mirrored.
    """

    def __init__(
        self,
        embedder: FaceEmbedder | None,
        *,
        reference: Embedding | None = None,
        mirrored: bool = False,
    ) -> None:
        self._embedder = embedder
        self._mirrored = mirrored
        self.reference: Embedding | None = reference
        """``None`` until it is known. Personal data: leaves the process only if the policy says."""
        self._photo = reference is not None
        self._first: list[Embedding] = []
        self._probes: deque[tuple[float, Embedding]] = deque(maxlen=_AVERAGED)
        self._track: int | None = None
        self._lost_at: float | None = None
        self._trouble = ""
        """What happened while the face was out of sight."""
        self._stood_still = False
        self._why = "as the session began"
        self._burst = BURST_PROBES if self._photo else 0
        self._doubting = False
        """Whether the look before was too far from the reference to be left at that."""
        self._next = float("-inf")

    def update(
        self,
        time: float,
        track: int | None,
        camera: ImageQuality | None,
        stream: InjectionIndicators | None,
    ) -> None:
        """Take in whose face is the candidate's in one frame (``None``: nobody's), and what the
        camera gives; times rise."""
        if stream is not None and stream.unchanged_for >= _STOOD_STILL:
            self._stood_still = True
        elif stream is not None and self._stood_still:
            self._stood_still = False
            self._compare_soon(time, "after the picture stood still")
        if track is None:
            if self._lost_at is None:
                self._lost_at = time
            self._trouble = _trouble(camera) or self._trouble
            return
        if self._track is not None and (track != self._track or self._lost_at is not None):
            away = 0.0 if self._lost_at is None else time - self._lost_at
            if self._trouble:
                why = f"after the camera was {self._trouble}"
            elif away >= _ABSENCE:
                why = f"after {away:.0f} s without the face"
            else:
                why = "after the face was lost from sight"
            self._compare_soon(time, why)
        self._track, self._lost_at, self._trouble = track, None, ""

    def is_due(self, time: float) -> bool:
        """Whether a look is due; only worth asking with the candidate's face in the frame."""
        return self._embedder is not None and time >= self._next

    def verify(
        self, time: float, pixels: Pixels, mesh: Mesh, *, alone: bool, slowness: float = 1.0
    ) -> tuple[Identity | None, NotRead | None]:
        """Look at the candidate's face, after ``follow`` took the frame in.

        Args:
            time: media time.
            pixels: the frame.
            mesh: the candidate's landmarks.
            alone: whether it is the only face: only then may it become the reference.
            slowness: by how much looks are rarer than they should be, for want of computing time.
        """
        assert self._embedder is not None and self._track is not None  # noqa: PT018, S101
        reason = rejection_reason(pixels, mesh)
        if not reason and self.reference is None and not alone:
            reason = "more than one face, and no reference yet"
        if reason:
            self._next = time + _REFERENCE_PERIOD * slowness
            return None, NotRead("identity", reason)
        embedding = self._embedder.embed(pixels, mesh, mirrored=self._mirrored)
        if self.reference is None:
            self._next = time + _REFERENCE_PERIOD * slowness
            return None, self._take_reference(embedding)
        if not self._burst and distance(embedding, self.reference) >= _DOUBTFUL:
            # A first doubt: what was seen before may have been somebody else.
            if self._why == "now and then" and not self._doubting:
                self._probes.clear()
            self._doubting = True
        else:
            self._doubting = False
        self._probes.append((time, embedding))
        while time - self._probes[0][0] > _AVERAGED_SECONDS:
            self._probes.popleft()
        probe = mean_embedding(tuple(value for _, value in self._probes))
        identity = Identity(
            track=self._track,
            distance=distance(probe, self.reference),
            comparisons=len(self._probes),
            trigger=self._why,
            from_photo=self._photo,
        )
        self._next = time + slowness * self._period_after(identity)
        return identity, None

    def _take_reference(self, embedding: Embedding) -> NotRead | None:
        if self._first and distance(embedding, mean_embedding(tuple(self._first))) > _ONE_PERSON:
            self._first.clear()
        self._first.append(embedding)
        if len(self._first) < REFERENCE_SAMPLES:
            return NotRead("identity", "the reference is not complete yet")
        self.reference = mean_embedding(tuple(self._first))
        self._why = "now and then"
        return None

    def _period_after(self, identity: Identity) -> float:
        """Seconds until the next look."""
        if self._burst > 0:
            self._burst -= 1
            return _BURST_PERIOD
        if identity.distance >= _DOUBTFUL:
            return _BURST_PERIOD if identity.comparisons < _AVERAGED else _DOUBTFUL_PERIOD
        self._why = "now and then"
        return VERIFICATION_PERIOD

    def _compare_soon(self, time: float, why: str) -> None:
        self._probes.clear()
        self._why, self._burst, self._next = why, BURST_PROBES, time


def _trouble(camera: ImageQuality | None) -> str:
    if camera is None:
        return ""
    if camera.structure < _COVERED_STRUCTURE and camera.detail < _COVERED_DETAIL:
        return "covered"
    return "dark" if camera.brightness < _DARK else ""
