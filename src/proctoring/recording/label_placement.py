"""Where labels go on a picture: inside it, and never over each other."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple


class Rectangle(NamedTuple):
    """Whole pixels; right and bottom are outside."""

    left: int
    top: int
    right: int
    bottom: int

    def overlaps(self, other: Rectangle) -> bool:
        """Whether the two share a pixel."""
        return (
            self.left < other.right
            and other.left < self.right
            and self.top < other.bottom
            and other.top < self.bottom
        )


def place(
    size: tuple[int, int],
    anchor: Rectangle,
    taken: Sequence[Rectangle],
    bounds: Rectangle,
) -> Rectangle | None:
    """The place of one label, as near as possible to what it is about.

    Args:
        size: width and height of the label.
        anchor: what it is about: the label goes above it, below it or into one of its corners, if there
            is room.
        taken: places of other labels.
        bounds: the picture.

    Returns:
        ``None`` if the picture has no room for it.
    """
    width, height = size
    if width > bounds.right - bounds.left or height > bounds.bottom - bounds.top:
        return None

    def at(left: int, top: int) -> Rectangle:
        left = min(max(left, bounds.left), bounds.right - width)
        top = min(max(top, bounds.top), bounds.bottom - height)
        return Rectangle(left, top, left + width, top + height)

    def is_free(place: Rectangle) -> bool:
        return not any(place.overlaps(other) for other in taken)

    preferred = [at(left, top) for left, top in _beside(size, anchor)]
    for found in preferred:
        if is_free(found):
            return found
    # If there is any room, there is some that touches other labels or the border.
    first = preferred[0]
    lefts = {first.left, bounds.left, bounds.right - width}
    lefts |= {edge for other in taken for edge in (other.right, other.left - width)}
    tops = {first.top, bounds.top, bounds.bottom - height}
    tops |= {edge for other in taken for edge in (other.bottom, other.top - height)}
    free = filter(is_free, {at(left, top) for left in lefts for top in tops})
    return min(
        free,
        key=lambda found: (
            abs(found.left - first.left) + abs(found.top - first.top),
            found,  # the same picture gives the same places
        ),
        default=None,
    )


def place_all(
    labels: Iterable[tuple[tuple[int, int], Rectangle]], bounds: Rectangle
) -> list[Rectangle | None]:
    """Places of labels (size and anchor each), the most important first."""
    places: list[Rectangle | None] = []
    for size, anchor in labels:
        places.append(place(size, anchor, [one for one in places if one], bounds))
    return places


def _beside(size: tuple[int, int], anchor: Rectangle) -> Iterator[tuple[int, int]]:
    width, height = size
    for left in (anchor.left, anchor.right - width):
        yield left, anchor.top - height
    for left in (anchor.left, anchor.right - width):
        yield left, anchor.bottom
    for left in (anchor.left, anchor.right - width):
        yield left, anchor.top
        yield left, anchor.bottom - height
