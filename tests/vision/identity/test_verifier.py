"""Real faces and the real network; time is the test's own."""

from __future__ import annotations

import numpy as np
import pytest

from proctoring.observations import Identity, ImageQuality, InjectionIndicators, NotRead
from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.frame import Frame, Pixels
from proctoring.vision.identity.embedding import FaceEmbedder, distance
from proctoring.vision.identity.reference import FaceReference, reference_from
from proctoring.vision.identity.verifier import VERIFICATION_PERIOD, IdentityVerifier
from proctoring.vision.landmarks import Mesh
from proctoring.vision.networks import VisionModels

from ..moving import reshaped, with_noise

FACE = (290.0, 145.0)
CLEAR = ImageQuality(brightness=100, overexposed=0, structure=15, detail=4)
COVERED = ImageQuality(brightness=5, overexposed=0, structure=0.2, detail=0.1)
DARK = ImageQuality(brightness=9, overexposed=0, structure=6, detail=2)
MOVING = InjectionIndicators(unchanged_for=0, ever_changed=True, repeats_after=None)
STILL = InjectionIndicators(unchanged_for=2, ever_changed=True, repeats_after=None)


class Sitting:
    """One watch and a person before it, who may change."""

    def __init__(self, models: VisionModels, photo: Pixels | None = None) -> None:
        assert models.faces
        assert models.identity
        self._networks, self._embedder = models.faces, models.identity
        self.watch = IdentityVerifier(
            self._embedder, reference=None if photo is None else self._reference(photo)
        )
        self.time, self.track = 0.0, 1
        self.seen: list[Identity] = []
        self.unread: list[NotRead] = []

    def _reference(self, photo: Pixels) -> FaceReference:
        face = self._embedder.aligned(photo, self.mesh(photo))
        return reference_from(self._embedder, (face,))

    def mesh(self, picture: Pixels) -> Mesh:
        tracker = FaceTracker(self._networks.detector, self._networks.landmarker)
        return tracker.update(Frame(0, picture))[0].mesh

    def sit(
        self,
        picture: Pixels,
        seconds: float,
        *,
        stream: InjectionIndicators = MOVING,
        alone: bool = True,
    ) -> list[Identity]:
        """Somebody sits there; gives what was compared meanwhile."""
        before, mesh = len(self.seen), self.mesh(picture)
        for n in range(round(seconds * 10)):
            self.time += 0.1
            self.watch.update(self.time, self.track, CLEAR, stream)
            if self.watch.is_due(self.time):
                noisy = with_noise(picture, np.random.default_rng(n), 2)
                identity, unread = self.watch.verify(self.time, noisy, mesh, alone=alone)
                self.seen += [identity] if identity else []
                self.unread += [unread] if unread else []
        return self.seen[before:]

    def vanish(self, seconds: float, camera: ImageQuality = CLEAR) -> None:
        """Nobody is seen; whoever comes back is followed anew."""
        for _ in range(round(seconds * 10)):
            self.time += 0.1
            self.watch.update(self.time, None, camera, MOVING)
        self.track += 1


@pytest.fixture
def sitting(vision_models: VisionModels) -> Sitting:
    if vision_models.identity is None:
        pytest.skip("the weights of the face embedding cannot be had")
    return Sitting(vision_models)


@pytest.fixture(scope="module")
def other(astronaut: Pixels) -> Pixels:
    """A face that the network takes for somebody else's."""
    return reshaped(astronaut, FACE, reach=48.0)


def test_the_first_seconds_make_the_reference_and_then_comparisons_are_rare(
    sitting: Sitting, astronaut: Pixels
) -> None:
    assert sitting.sit(astronaut, 3.5) == []
    assert {entry.reason for entry in sitting.unread} == {"the reference is not complete yet"}

    seen = sitting.sit(astronaut, 3 * VERIFICATION_PERIOD)

    assert sitting.watch.reference is not None
    assert 2 <= len(seen) <= 4
    assert all(look.distance < 0.2 and look.trigger == "now and then" for look in seen)


@pytest.mark.parametrize(
    ("seconds", "camera", "why"),
    [
        (0.5, CLEAR, "after the face was lost from sight"),
        (5.0, CLEAR, "after 5 s without the face"),
        (2.0, COVERED, "after the camera was covered"),
        (2.0, DARK, "after the camera was dark"),
    ],
)
def test_whoever_comes_back_is_compared_at_once_with_the_reason(
    sitting: Sitting,
    astronaut: Pixels,
    other: Pixels,
    seconds: float,
    camera: ImageQuality,
    why: str,
) -> None:
    sitting.sit(astronaut, 6)
    sitting.vanish(seconds, camera)
    back = sitting.sit(astronaut, 3)
    assert len(back) >= 5
    assert {look.trigger for look in back} == {why}
    assert max(look.distance for look in back) < 0.3

    sitting.vanish(seconds, camera)
    swapped = sitting.sit(other, 3)
    assert {look.trigger for look in swapped} == {why}
    assert min(look.distance for look in swapped) > 0.45
    assert [look.comparisons for look in swapped[:5]] == [1, 2, 3, 4, 5]


def test_a_picture_that_stood_still_is_a_reason(sitting: Sitting, astronaut: Pixels) -> None:
    sitting.sit(astronaut, 6)
    sitting.sit(astronaut, 3, stream=STILL)
    assert sitting.sit(astronaut, 1)[0].trigger == "after the picture stood still"


def test_a_swap_without_a_break_is_found_by_the_rare_comparisons(
    sitting: Sitting, astronaut: Pixels, other: Pixels
) -> None:
    sitting.sit(astronaut, 6)
    seen = sitting.sit(other, VERIFICATION_PERIOD + 6)
    far = [look for look in seen if look.distance > 0.42 and look.comparisons >= 3]
    assert len(far) >= 3


def test_two_faces_make_no_reference(sitting: Sitting, astronaut: Pixels) -> None:
    sitting.sit(astronaut, 8, alone=False)
    assert sitting.watch.reference is None
    assert "more than one face" in sitting.unread[-1].reason


def test_two_people_within_the_first_seconds_make_no_common_reference(
    sitting: Sitting, astronaut: Pixels, other: Pixels
) -> None:
    sitting.sit(astronaut, 3)
    sitting.sit(other, 3)
    sitting.sit(other, 3)
    assert max(look.distance for look in sitting.sit(other, 11)) < 0.2


def test_a_photo_is_compared_from_the_first_probe_on(
    vision_models: VisionModels, sitting: Sitting, astronaut: Pixels, other: Pixels
) -> None:
    with_photo = Sitting(vision_models, photo=astronaut)
    (first, *_) = with_photo.sit(other, 3)
    assert (first.from_photo, first.trigger) == (True, "as the session began")
    assert first.distance > 0.45


def test_a_mirrored_session_is_compared_the_right_way_round(
    vision_models: VisionModels, sitting: Sitting, astronaut: Pixels
) -> None:
    flipped = np.ascontiguousarray(astronaut[:, ::-1])
    embedder = vision_models.identity
    assert isinstance(embedder, FaceEmbedder)
    plain = embedder.embed(astronaut, sitting.mesh(astronaut))
    undone = embedder.embed(flipped, sitting.mesh(flipped), mirrored=True)
    as_it_is = embedder.embed(flipped, sitting.mesh(flipped))
    assert distance(plain, undone) < distance(plain, as_it_is)


def test_a_face_that_is_too_dark_says_so_and_is_not_compared(
    sitting: Sitting, astronaut: Pixels
) -> None:
    sitting.sit(astronaut, 6)
    sitting.vanish(1)
    dim = np.asarray(astronaut * 0.12, np.uint8)
    mesh = sitting.mesh(astronaut)
    sitting.watch.update(sitting.time + 0.1, sitting.track, CLEAR, MOVING)
    assert sitting.watch.verify(sitting.time + 0.1, dim, mesh, alone=True) == (
        None,
        NotRead("identity", "face too dark"),
    )


def masked(picture: Pixels) -> Pixels:
    """From the nose to the chin in one colour."""
    covered = picture.copy()
    covered[147:195, 245:335] = (235, 235, 235)
    return covered


def test_a_face_covered_from_nose_to_chin_is_alike_in_its_upper_half(
    sitting: Sitting, astronaut: Pixels
) -> None:
    sitting.sit(astronaut, 6)
    sitting.vanish(0.5)
    seen = sitting.sit(masked(astronaut), 3)
    half = seen[-1].visible
    assert seen[-1].distance > 0.42
    assert half is not None
    assert half.name == "upper half"
    assert half.evidence > 1.5
    assert sitting.unread[-1].what == "identity of the whole face"
    assert "only its upper half is compared" in sitting.unread[-1].reason


def test_somebody_else_is_not_taken_for_a_covered_face(
    sitting: Sitting, astronaut: Pixels, other: Pixels
) -> None:
    sitting.sit(astronaut, 6)
    sitting.vanish(0.5)
    half = sitting.sit(other, 3)[-1].visible
    assert half is not None
    assert half.evidence < 1.5
