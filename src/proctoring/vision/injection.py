"""Detects a stream that does not come from a camera: a still image, or a recording that repeats.

Both are recognised by how the stream changes over time. A long recording of a person, played once, is
not detected here: see ``docs/accuracy.md``, which also gives the source of the measured limits below.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from proctoring.observations import InjectionIndicators
from proctoring.vision.frame import Frame
from proctoring.vision.frame_change import EarlierSamples, Sample, mean_differences, sample_pixels
from proctoring.vision.near_repetition import NearRepetition, NearRepetitionPictures

_MAX_GAP = 1.0
"""Seconds without an update after which the memory is dropped: lags no longer match."""

_EARLIER = 100
"""Different pictures (20 s of updates) that a new one is compared with; about 1,400 pixels each."""
_SAME_PICTURE = 0.05
"""Mean difference (levels of 0 to 255) below which a picture repeats an earlier one. Cameras with a
person in view were never nearer than 1.2 to an earlier picture, an empty room with noise of 0.3 never
nearer than 0.75; repeated pictures give 0."""
_MOVEMENT = 4.0
"""Mean difference from which a picture shows movement. The same picture in two JPEG qualities (60 and
90) differs by up to 1.8, a small and noisy one by 3.5."""
_RECENT = 15
"""Updates (3 s) over which the share of new pictures is measured."""
_FEW_NEW = 0.2
"""Highest share of new pictures in a still image that is encoded anew, in changing quality, each time:
it soon repeats itself."""
_CAMERA_LIKE = 15
"""So many new pictures in a row (3 s) come from a camera."""
_EARLY = 0.05
"""Seconds by which updates may be early."""
_MAX_UNCOMPARED = 0.5
"""Seconds after which a frame is decoded to be compared, though its stream is a camera's so far and nothing
else needs its pixels. Updates in which they are not compared leave everything as it was."""


@dataclass(frozen=True, slots=True, eq=False)
class InjectionState:
    """How the stream has changed until now."""

    changed_at: float = 0.0
    """Media time of the last change."""
    ever_changed: bool = False
    new: tuple[bool, ...] = ()
    """Whether each of the last pictures was new."""
    new_in_a_row: int = 0
    compared_at: float = float("-inf")
    """Media time of the last comparison of pixels."""
    digest: int | None = None
    """Of the last frame, 64 bits."""
    digest_since: float = 0.0
    """Media time of the first of the last equal frames."""
    updated_at: float = float("-inf")
    """Media time of the last update."""
    sample: Sample | None = None
    """The last picture that was new: a picture that stands still goes on standing still."""


@dataclass(frozen=True, slots=True, eq=False)
class InjectionPictures:
    """Earlier pictures. Without them, a still image that is encoded anew, and a loop that is, are found when
    they have been seen for as long once more."""

    earlier: tuple[Sample, ...]
    added: int
    loop: NearRepetitionPictures


class InjectionDetector:
    """Measures how one session's stream changes over time. Keeps half a megabyte of thumbnails."""

    def __init__(
        self, state: InjectionState | None = None, pictures: InjectionPictures | None = None
    ) -> None:
        state = state or InjectionState()
        self._changed_at = state.changed_at
        self._ever_changed = state.ever_changed
        self._new: deque[bool] = deque(state.new, maxlen=_RECENT)
        self._new_in_a_row = state.new_in_a_row
        self._compared_at = state.compared_at
        self._digest = state.digest
        self._digest_since = state.digest_since
        self._last = state.updated_at
        if pictures is not None:
            self._earlier = EarlierSamples(_EARLIER, pictures.earlier, pictures.added)
            self._loop = NearRepetition(pictures.loop)
        else:
            last = () if state.sample is None else (state.sample,)
            self._earlier = EarlierSamples(_EARLIER, last)
            self._loop = NearRepetition()

    @property
    def state(self) -> InjectionState:
        """For a snapshot."""
        return InjectionState(
            self._changed_at,
            self._ever_changed,
            tuple(self._new),
            self._new_in_a_row,
            self._compared_at,
            self._digest,
            self._digest_since,
            self._last,
            self._earlier.last,
        )

    @property
    def pictures(self) -> InjectionPictures:
        """For a snapshot."""
        return InjectionPictures(self._earlier.all, self._earlier.added, self._loop.pictures)

    def update(self, frame: Frame) -> InjectionIndicators:
        """Add one frame and measure. Times must rise, about ``SAMPLE_PERIOD`` apart.

        The frame is decoded twice a second while its stream is a camera's, always while it may not be.
        """
        time = frame.time
        self._update_still(frame)
        if not 0 < time - self._last <= _MAX_GAP:
            self._loop.clear()
        self._last = time
        return InjectionIndicators(
            unchanged_for=time - self._changed_at,
            ever_changed=self._ever_changed,
            repeats_after=self._loop.update(frame.luma),
        )

    def look(self, frame: Frame) -> None:
        """Compare a frame between two updates, if it is decoded and one would soon be decoded for that."""
        if frame.decoded and frame.time - self._compared_at >= _MAX_UNCOMPARED - _EARLY:
            self._update_still(frame)

    def _update_still(self, frame: Frame) -> None:
        """Determine whether this picture is an earlier one again, possibly encoded anew."""
        time = frame.time
        if frame.digest != self._digest:
            self._digest, self._digest_since = frame.digest, time
        elif self._earlier.last is not None and self._compared_at >= self._digest_since:
            self._compared_at = time
            self._count(time, new=False, moved=False)
            return
        camera_like = self._ever_changed and all(self._new)
        waited = time - self._compared_at
        if frame.decoded or not camera_like or not 0 <= waited < _MAX_UNCOMPARED - _EARLY:
            self._compared_at = time
            self._compare(self._digest_since, sample_pixels(frame.pixels))

    def _compare(self, time: float, sample: Sample) -> None:
        last = self._earlier.last
        if last is None or last.shape != sample.shape:
            self._earlier.clear()
            self._changed_at = time
            self._earlier.add(sample)
            return
        new = not self._earlier.has_nearer(sample, _SAME_PICTURE)
        (difference,) = mean_differences([last], sample)
        self._count(time, new=new, moved=float(difference) >= _MOVEMENT)
        if new:
            self._earlier.add(sample)

    def _count(self, time: float, *, new: bool, moved: bool) -> None:
        self._new.append(new)
        self._new_in_a_row = self._new_in_a_row + 1 if new else 0
        if moved or (new and sum(self._new) > _FEW_NEW * len(self._new)):
            self._changed_at = time
        if moved or self._new_in_a_row >= _CAMERA_LIKE:
            self._ever_changed = True
