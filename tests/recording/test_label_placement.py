"""Labels stay inside the picture and apart from each other."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from proctoring.recording.label_placement import Rectangle, place_all

PICTURE = Rectangle(0, 0, 640, 480)

anchors = st.builds(
    lambda left, top, width, height: Rectangle(left, top, left + width, top + height),
    st.integers(-100, 640),
    st.integers(-100, 480),
    st.integers(0, 640),
    st.integers(0, 480),
)
sizes = st.tuples(st.integers(20, 300), st.integers(10, 40))


@given(st.lists(st.tuples(sizes, anchors), max_size=12))
def test_labels_never_overlap_and_stay_inside(
    labels: list[tuple[tuple[int, int], Rectangle]],
) -> None:
    places = [place for place in place_all(labels, PICTURE) if place is not None]
    # Twelve of the largest would cover less than half of the picture: there is room for all.
    assert len(places) == len(labels)
    assert not any(one.overlaps(other) for one, other in combinations(places, 2))
    for place in places:
        assert 0 <= place.left < place.right <= 640
        assert 0 <= place.top < place.bottom <= 480


def test_a_label_stands_above_its_box_or_below_or_in_it() -> None:
    size = (100, 20)
    middle, whole = Rectangle(200, 200, 400, 300), PICTURE
    assert place_all([(size, middle)], PICTURE) == [Rectangle(200, 180, 300, 200)]
    assert place_all([(size, whole)], PICTURE) == [Rectangle(0, 0, 100, 20)]
    above, right = place_all([(size, middle), (size, middle)], PICTURE)
    assert above == Rectangle(200, 180, 300, 200)
    assert right == Rectangle(300, 180, 400, 200)


def test_a_label_without_any_room_is_left_out() -> None:
    small = Rectangle(0, 0, 100, 20)
    places = place_all([((100, 20), small), ((20, 20), small), ((200, 10), small)], small)
    assert places == [small, None, None]
