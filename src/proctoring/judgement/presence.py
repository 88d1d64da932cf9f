"""Who is there: nobody, somebody without a face, one person, more than one, a picture of one.

The faces and the object detector see differently: a face proves a person, no face proves nothing;
the detector sees backs, and coats, and looks once a second. So the two are weighed here, in one
place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from proctoring.judgement.camera import camera_trouble
from proctoring.judgement.policy import Policy
from proctoring.judgement.reading import Reading
from proctoring.judgement.state import PersonsLook
from proctoring.observations import Detection, Face, FrameObservation, ObjectLook, Observation

ABSENT, HIDDEN = "face.absent", "face.hidden"
SEVERAL, BACKGROUND = "person.multiple", "person.background"


def latest_look(
    policy: Policy, look: PersonsLook | None, observation: Observation
) -> PersonsLook | None:
    """The count of persons that stands after ``observation``; none when the last is too old."""
    if isinstance(observation, FrameObservation) and observation.objects is not None:
        if look is not None and observation.time <= look.time:
            return look
        seen = _people(policy, observation)
        since = look.far_since if look is not None else None
        return PersonsLook(
            time=observation.time,
            persons=seen.near_boxes + seen.far_boxes,
            before=look.persons if look is not None else 0,
            with_face=observation.objects.face_seen,
            far_since=None
            if not seen.far_boxes
            else (observation.time if since is None else since),
        )
    if look is not None and observation.time - look.time > policy.objects.max_count_age:
        return None
    return look


def absence(
    policy: Policy, look: PersonsLook | None, observation: FrameObservation
) -> Iterator[Reading]:
    """No face in the frame: nobody, or somebody whose face is not seen.

    Until the detector has looked again, both may be. One look that misses somebody whom the look
    before saw does not make nobody of him. A picture in which nobody could be seen accuses nobody.
    """
    if observation.faces is None:
        return
    if observation.faces:
        yield Reading(ABSENT, False)
        yield Reading(HIDDEN, False)
        return
    trouble = camera_trouble(policy, observation)
    if trouble is not None:
        why = trouble.text.replace("{}", f"{trouble.value:.0f}")
        yield Reading(ABSENT, None, text=why)
        yield Reading(HIDDEN, None, text=why)
        return
    text = "no face in the frame"
    hidden = "a person without a visible face"
    if look is None:
        yield Reading(ABSENT, True, 1.0, 1.0, text)
        yield Reading(HIDDEN, None, text="whether a person is there was not looked at")
    elif look.with_face:  # it looked before the face was lost
        yield Reading(ABSENT, True, 1.0, 1.0, text)
        yield Reading(HIDDEN, True if look.persons else None, 0.6, 1.0, hidden)
    elif look.persons:
        yield Reading(ABSENT, None, text="a person is seen, without a visible face")
        yield Reading(HIDDEN, True, 0.8, 2.0, f"{hidden} (turned away, bent down or covered)")
    else:
        yield Reading(ABSENT, True, 1.0, 2.0, f"{text} and no person seen")
        gone = None if look.before else False
        yield Reading(HIDDEN, gone, text="no person seen in the last look")


def company(
    policy: Policy, look: PersonsLook | None, observation: FrameObservation
) -> Iterator[Reading]:
    """More than one person, by faces or by the object detector; somebody small, far behind, only
    when staying. A face that is a picture is no person."""
    seen = _people(policy, observation)
    looked = observation.objects is not None
    if not looked and observation.faces is None:
        return
    slow = looked and observation.faces is None
    far_boxes = seen.far_boxes
    faces, boxes = seen.near_faces + seen.far_faces, seen.near_boxes + far_boxes
    stayed = _stayed(look, observation, seen)
    lasting = stayed >= policy.objects.max_background_time
    count = max(
        seen.near_faces + (seen.far_faces if lasting else 0),
        seen.near_boxes + (far_boxes if lasting else 0),
    )
    far = max(seen.far_faces, far_boxes)
    if count > 1:
        found = [f"{faces} faces"] if faces > 1 else []
        found += [f"{boxes} persons by {seen.detector}"] if boxes > 1 else []
        behind = f", one in the background for {stayed:.0f} s" if far and lasting else ""
        text = f"{count} persons in the picture ({', '.join(found)}{behind})"
        yield Reading(SEVERAL, True, seen.confidence, count, text, slow)
    elif max(faces, boxes) < 2 and seen.unproven:
        yield Reading(SEVERAL, None, text="whether another face is a person's is not known yet")
    # One face cannot contradict a detector that counted two persons and has not looked again.
    elif looked or look is None or look.persons < 2:
        yield Reading(SEVERAL, False)
    if far:
        text = "somebody in the background"
        yield Reading(BACKGROUND, True, seen.confidence, far, text, slow)
    elif looked or look is None or look.far_since is None:
        yield Reading(BACKGROUND, False)


def persons_in(policy: Policy, look: ObjectLook) -> list[Detection]:
    """The persons of one look of the object detector that count."""
    minimum = policy.objects.min_person_score_of(look.detector)
    return [person for person in look.persons if person.score >= minimum]


@dataclass(frozen=True, slots=True)
class _People:
    near_faces: int
    far_faces: int
    unproven: int
    """Faces of which it is not known yet whether they are pictures."""
    near_boxes: int
    far_boxes: int
    far_since: float | None
    """When the first of the small faces was first seen."""
    confidence: float
    """Of the second person."""
    detector: str


def _people(policy: Policy, observation: FrameObservation) -> _People:
    faces = observation.faces or ()
    persons = [face for face in faces if face.picture is False]
    far = [face for face in persons if _is_small(policy, face, persons)]
    boxes: list[Detection] = []
    if observation.objects is not None:
        boxes = persons_in(policy, observation.objects)
    widest = max((box.box.width for box in boxes), default=0.0)
    far_boxes = sum(box.box.width < policy.objects.max_background_size * widest for box in boxes)
    scores = sorted((face.presence for face in persons), reverse=True)[1:2]
    scores += sorted((box.score for box in boxes), reverse=True)[1:2]
    return _People(
        near_faces=len(persons) - len(far),
        far_faces=len(far),
        unproven=sum(face.picture is None for face in faces),
        near_boxes=len(boxes) - far_boxes,
        far_boxes=far_boxes,
        far_since=min((face.since for face in far), default=None),
        confidence=max(scores, default=0.0),
        detector=observation.objects.detector if observation.objects else "",
    )


def _is_small(policy: Policy, face: Face, persons: list[Face]) -> bool:
    tallest = max(other.box.height for other in persons)
    return face.box.height < policy.objects.max_background_size * tallest


def _stayed(look: PersonsLook | None, observation: FrameObservation, seen: _People) -> float:
    """For how long somebody small has been there, in seconds."""
    since = [] if seen.far_since is None else [seen.far_since]
    if look is not None and look.far_since is not None:
        since.append(look.far_since)
    return observation.time - min(since) if since else 0.0
