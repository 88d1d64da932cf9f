"""Presence: absent candidate, hidden face, several persons, persons in the background.

Two detectors contribute. A face proves a person, but a missing face proves nothing. The object
detector finds people from behind as well (and sometimes coats), but only runs about once a second.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from proctoring.judgement.camera import camera_trouble
from proctoring.judgement.policy import Policy
from proctoring.judgement.reading import Reading, not_held
from proctoring.judgement.state import PersonCount
from proctoring.observations import Detection, Face, FrameObservation, ObjectDetections, Observation

ABSENT, HIDDEN = "face.absent", "face.hidden"
MULTIPLE, BACKGROUND = "person.multiple", "person.background"

HIDDEN_CONFIDENCE = 0.8
"""Confidence that a face is hidden if the object detector finds a person in a frame without a face.
Set by judgement, not measured."""
LOST_FACE_CONFIDENCE = 0.6
"""The same if it found the person in an earlier frame, which still had a face."""


def update_person_count(
    policy: Policy, count: PersonCount | None, observation: Observation
) -> PersonCount | None:
    """The count of persons after ``observation``; ``None`` if there is none or it is too old."""
    if isinstance(observation, FrameObservation) and observation.objects is not None:
        if count is not None and observation.time <= count.time:
            return count
        people = _people(policy, observation)
        since = count.background_since if count is not None else None
        return PersonCount(
            time=observation.time,
            persons=people.near_boxes + people.far_boxes,
            previous=count.persons if count is not None else 0,
            with_face=observation.objects.face_seen,
            background_since=None
            if not people.far_boxes
            else (observation.time if since is None else since),
        )
    if count is not None and observation.time - count.time > policy.objects.max_count_age:
        return None
    return count


def absence_readings(
    policy: Policy, count: PersonCount | None, observation: FrameObservation
) -> Iterator[Reading]:
    """Absent candidate or hidden face, if there is no face in the frame.

    Until the object detector has run again, both may hold. A single detection that misses a person
    whom the previous one found does not count as absence. If the camera shows nothing, or
    the picture is or may be turned, both are unreadable.
    """
    if observation.faces is None:
        return
    if observation.faces:
        yield not_held(ABSENT)
        yield not_held(HIDDEN)
        return
    trouble = camera_trouble(policy, observation)
    if trouble is not None:
        why = trouble.text.replace("{}", f"{trouble.value:.0f}")
        yield Reading(ABSENT, None, text=why)
        yield Reading(HIDDEN, None, text=why)
        return
    if observation.turned is not None:
        for kind in (ABSENT, HIDDEN):
            yield Reading(kind, None, text="the picture may be turned")
        return
    text = "no face in the frame"
    hidden = "a person without a visible face"
    if count is None:
        yield Reading(ABSENT, True, 1.0, 1.0, text)
        yield Reading(HIDDEN, None, text="whether a person is there was not looked at")
    elif count.with_face:  # counted before the face was lost
        yield Reading(ABSENT, True, 1.0, 1.0, text)
        held = True if count.persons else None
        yield Reading(HIDDEN, held, LOST_FACE_CONFIDENCE, 1.0, hidden)
    elif count.persons:
        yield Reading(ABSENT, None, text="a person is seen, without a visible face")
        text = f"{hidden} (turned away, bent down or covered)"
        yield Reading(HIDDEN, True, HIDDEN_CONFIDENCE, 2.0, text)
    else:
        yield Reading(ABSENT, True, 1.0, 2.0, f"{text} and no person seen")
        gone = None if count.previous else False
        yield Reading(HIDDEN, gone, text="no person seen in the last look")


def person_readings(
    policy: Policy, count: PersonCount | None, observation: FrameObservation
) -> Iterator[Reading]:
    """Several persons, and persons in the background, by faces or by the object detector. A person
    in the background counts as another person after ``max_background_time``; a face in a picture
    never does."""
    people = _people(policy, observation)
    counted = observation.objects is not None
    if not counted and observation.faces is None:
        return
    deferred = counted and observation.faces is None
    far_boxes = people.far_boxes
    faces, boxes = people.near_faces + people.far_faces, people.near_boxes + far_boxes
    stayed = _time_in_background(count, observation, people)
    lasting = stayed >= policy.objects.max_background_time
    persons = max(
        people.near_faces + (people.far_faces if lasting else 0),
        people.near_boxes + (far_boxes if lasting else 0),
    )
    far = max(people.far_faces, far_boxes)
    if persons > 1:
        found = [f"{faces} faces"] if faces > 1 else []
        found += [f"{boxes} persons by {people.detector}"] if boxes > 1 else []
        behind = f", one in the background for {stayed:.0f} s" if far and lasting else ""
        text = f"{persons} persons in the picture ({', '.join(found)}{behind})"
        yield Reading(MULTIPLE, True, people.confidence, persons, text, deferred)
    elif max(faces, boxes) < 2 and people.undecided:
        yield Reading(MULTIPLE, None, text="whether another face is a person's is not known yet")
    # A single face does not contradict a count of two persons: the object detector must run again.
    elif counted or count is None or count.persons < 2:
        yield not_held(MULTIPLE)
    if far:
        text = "somebody in the background"
        yield Reading(BACKGROUND, True, people.confidence, far, text, deferred)
    elif counted or count is None or count.background_since is None:
        yield not_held(BACKGROUND)


def persons_in(policy: Policy, objects: ObjectDetections) -> list[Detection]:
    """The persons that reach the policy's minimum score."""
    minimum = policy.objects.min_person_score_of(objects.detector)
    return [person for person in objects.persons if person.score >= minimum]


@dataclass(frozen=True, slots=True)
class _People:
    """The people in one frame; far ones are in the background."""

    near_faces: int
    far_faces: int
    undecided: int
    """Faces that may turn out to be pictures."""
    near_boxes: int
    far_boxes: int
    far_since: float | None
    """When the first of the far faces was first detected."""
    confidence: float
    """Confidence in the second person."""
    detector: str


def _people(policy: Policy, observation: FrameObservation) -> _People:
    faces = observation.faces or ()
    persons = [face for face in faces if face.depicted is False]
    far = [face for face in persons if _is_far(policy, face, persons)]
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
        undecided=sum(face.depicted is None for face in faces),
        near_boxes=len(boxes) - far_boxes,
        far_boxes=far_boxes,
        far_since=min((face.since for face in far), default=None),
        confidence=max(scores, default=0.0),
        detector=observation.objects.detector if observation.objects else "",
    )


def _is_far(policy: Policy, face: Face, persons: list[Face]) -> bool:
    tallest = max(other.box.height for other in persons)
    return face.box.height < policy.objects.max_background_size * tallest


def _time_in_background(
    count: PersonCount | None, observation: FrameObservation, people: _People
) -> float:
    """For how long someone has been in the background, in seconds."""
    since = [] if people.far_since is None else [people.far_since]
    if count is not None and count.background_since is not None:
        since.append(count.background_since)
    return observation.time - min(since) if since else 0.0
