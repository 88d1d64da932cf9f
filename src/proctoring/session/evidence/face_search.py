"""Searches the frames of evidence for faces, since a session tracks at most four."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from proctoring.observations import Box
from proctoring.session.evidence.bystanders import HIDE_MARGIN, PeopleInFrame
from proctoring.vision.frame import Pixels

FindFaces = Callable[[Pixels, int], tuple[Box, ...]]
"""Finds all faces in a frame, in shares of its width and height. The number is that of tiles along
each side at most."""

TILES_OF_STILL = 3
TILES_OF_CLIP = 2
TILING_PERIOD = 0.5
"""Seconds of a clip between two frames that are searched in tiles; others are searched as a whole."""

_CANDIDATE_FACTOR = 1.5
"""Enlargement of the candidate's face within which a found face is taken for it: the boxes of the
two networks differ."""


def search_faces(
    frames: Iterable[tuple[float, Pixels]],
    people: Sequence[PeopleInFrame],
    find: FindFaces,
    *,
    tiles: int,
) -> tuple[PeopleInFrame, ...]:
    """The session's observations of people and those found in the frames, in order of time.

    Args:
        frames: media times and pixels, in order.
        people: of the session, in order; they alone identify the candidate.
        find: the detector.
        tiles: along each side, every ``TILING_PERIOD`` seconds.
    """
    found = []
    tiled_at = float("-inf")
    for time, pixels in frames:
        is_due = time - tiled_at >= TILING_PERIOD
        faces = find(pixels, tiles if is_due else 1)
        tiled_at = time if is_due else tiled_at
        own = [
            each.candidate
            for each in people
            if each.candidate is not None and abs(each.time - time) <= HIDE_MARGIN
        ]
        others = tuple(face for face in faces if not any(_is_at(face, place) for place in own))
        found.append(PeopleInFrame(time, None, others, (), from_session=False))
    return tuple(sorted((*people, *found), key=lambda each: each.time))


def _is_at(face: Box, place: Box) -> bool:
    """Whether the centre of a face lies in an enlarged box of the candidate's."""
    x, y = (face.left + face.right) / 2, (face.top + face.bottom) / 2
    own_x, own_y = (place.left + place.right) / 2, (place.top + place.bottom) / 2
    factor = _CANDIDATE_FACTOR / 2
    return abs(x - own_x) <= place.width * factor and abs(y - own_y) <= place.height * factor
