"""Looks for faces in the very pictures that are kept: the session follows four of them at most."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from proctoring.observations import Box
from proctoring.session.evidence.bystanders import AROUND, Look
from proctoring.vision.frame import Pixels

FindFaces = Callable[[Pixels, int], tuple[Box, ...]]
"""Every face in a picture, in shares of its sides; into how many parts each side is cut at most."""

CUTS_OF_STILL = 3
CUTS_OF_CLIP = 2
CUT_EVERY = 0.5
"""Seconds of a clip after which parts of a picture are looked at too, not only the whole."""

_ROOM = 1.5
"""From the candidate's face to where nobody else is taken to be: the two networks' boxes differ."""


def looks_at(
    pictures: Iterable[tuple[float, Pixels]],
    looks: Sequence[Look],
    find: FindFaces,
    *,
    cuts: int,
) -> tuple[Look, ...]:
    """The looks of the session and one more at each picture, in order of time.

    Args:
        pictures: media times and pixels, in order.
        looks: those of the session, in order; who is the candidate is known from them alone.
        find: the detector.
        cuts: parts that are looked at every ``CUT_EVERY`` seconds.
    """
    more = []
    cut_at = float("-inf")
    for time, pixels in pictures:
        due = time - cut_at >= CUT_EVERY
        faces = find(pixels, cuts if due else 1)
        cut_at = time if due else cut_at
        own = [
            look.candidate
            for look in looks
            if look.candidate is not None and abs(look.time - time) <= AROUND
        ]
        others = tuple(face for face in faces if not any(_is_at(face, place) for place in own))
        more.append(Look(time, None, others, (), followed=False))
    return tuple(sorted((*looks, *more), key=lambda look: look.time))


def _is_at(face: Box, place: Box) -> bool:
    """Whether a face is where the candidate's is, or was a second ago."""
    x, y = (face.left + face.right) / 2, (face.top + face.bottom) / 2
    own_x, own_y = (place.left + place.right) / 2, (place.top + place.bottom) / 2
    return abs(x - own_x) <= place.width * _ROOM / 2 and abs(y - own_y) <= place.height * _ROOM / 2
