"""How many voices a session has, online: segmentation first, then voice prints of each speaker alone.

A sliding window that embeds whatever was said last fails on real conversation, because windows
straddle turns. So each look first asks the segmentation network who speaks when within the last ten
seconds, and takes voice prints only of stretches in which one speaker is alone (the way of diart and
pyannote). What the segmentation calls "speaker 2" means nothing beyond its window; its speakers are
followed from look to look by the time they share, so that a voice once told need not be told again
every second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.embedding import VoicePrint, embed, normalised
from proctoring.audio.filterbank import FRAME_LENGTH, FRAME_STEP, filterbank, frame_count
from proctoring.audio.pcm import SAMPLE_RATE, Waveform
from proctoring.audio.segmentation import (
    FRAME_CENTRE,
    FRAMES,
    LOCAL_SPEAKERS,
    WINDOW,
    Activity,
    frames_in,
    segment,
)
from proctoring.audio.segmentation import FRAME_STEP as SEGMENT_STEP
from proctoring.models.onnx_runtime import OnnxNetwork
from proctoring.observations import SpeakerLook, VoiceHeard

CANDIDATE = 1
"""Number of the candidate's voice."""


@dataclass(frozen=True, slots=True)
class SpeakerSettings:
    """Tunables, each with what it trades. Defaults were chosen on the development half of
    ``evaluation/speakers.py``."""

    join: float = 0.45
    """Cosine from which speech belongs to a known voice. Raising it leaves more speech unplaced."""
    new: float = 0.30
    """Cosine below which ``print_seconds`` of speech are of a new voice. Raising it finds more
    intruders, and alarms more on candidates who move about."""
    new_short: float = 0.20
    """The same for ``new_seconds`` of speech, whose prints vary more; between the two in proportion."""
    new_seconds: float = 1.5
    """Speech, alone, from which ``new_short`` holds, that the first voice needs and each of two that are
    told apart within a window. Lowering it finds shorter interjections, less surely."""
    interjection: float = 0.10
    """``new`` for ``interjection_seconds`` of speech; up to ``new_seconds`` in proportion. The least
    cosine of 36 prints of 1.0 to 1.5 s to their own voice, near and far in rooms, was .34."""
    interjection_seconds: float = 1.1
    """Speech, alone, that a new voice needs at least. Lowering it finds shorter interjections, and takes
    a laugh or a cough for one."""
    least_seconds: float = 1.0
    """Speech, alone, that a voice print needs."""
    print_seconds: float = 3.0
    """Speech that a voice print uses at most, the latest. Raising it costs time and separates more."""
    check_after: float = 3.0
    """New speech of a known voice after which its print is taken again. Raising it costs less and
    notices later that the segmentation took two voices for one."""
    check_seconds: float = 2.0
    """Speech that such a print uses at most, the latest. Raising it costs more."""
    enrolment: float = 6.0
    """Speech of the candidate that must be known before a single new voice is believed."""
    clear: float = 0.10
    """Cosine below which a new voice is believed before that, once ``clear_seconds`` of the
    candidate are known."""
    clear_seconds: float = 1.5
    """Then the new voice must have spoken for ``print_seconds``, or the candidate for as long."""
    given: float = 0.30
    """Cosine from which speech is the candidate's whose voice was given beforehand, until
    ``enrolment`` seconds of it were heard here: another microphone and room make other prints."""
    enrol: float = 0.25
    """Cosine from which speech counts as the candidate's while less than that is known: the first
    seconds alone make a poor print. Lowering it takes more of the room into account, and more of
    whoever else speaks at the start."""
    apart: float = 0.40
    """Cosine below which two voices within one window are two, twice within ``apart_within``,
    when one of them is not placed yet."""
    split: float = 0.20
    """The same when both were taken for one voice."""
    young: float = 10.0
    """Speech that a voice may have learned from to be questioned more: a conversation's first seconds
    may have been taken for one. Raising it finds more of these and splits more candidates who move."""
    young_split: float = 0.32
    """``split`` of such a voice. One person whom the segmentation took for two, moving about, measured
    .36 and more; two women of one conversation .20 to .46."""
    long_seconds: float = 2.5
    """Speech, alone, of two speakers of one window that were taken for one young voice, from which on
    longer prints of them are compared. Lowering it looks more often, and less surely."""
    long_most: float = 5.0
    """Speech that such prints use at most, and those that decide whether two speakers are parted."""
    long_every: float = 2.0
    """Seconds between two such comparisons: one costs as much as five seconds of talk."""
    long_split: float = 0.38
    """Cosine below which, twice within ``apart_within``, they are two voices. One person moving
    about measured .36 once in half an hour."""
    examples: int = 6
    """Prints kept of each voice beside their mean: the same voice from near and far."""
    groups_apart: float = 0.25
    """Cosine below which two groups of a voice's examples, alike within, are two voices: the first
    seconds of a conversation may have been taken for one. Raising it finds more of these and
    splits more candidates who move about."""
    groups_alike: float = 0.45
    """Least cosine within such a group."""
    example_handicap: float = 0.05
    """What a likeness to one print counts less than one to the mean of many."""
    apart_within: float = 5.0
    heard_within: float = 2.0
    """Only speakers heard this lately are looked at."""
    unheard: float = 0.4
    """Seconds of speech by voice activity since the last look from which a window in which the
    segmentation hears nobody lately is looked at again, the older half silent. Lowering it costs more."""


@dataclass(frozen=True, slots=True, eq=False)
class Voice:
    """A voice of this session."""

    number: int
    print: VoicePrint
    seconds: float
    """Speech that went into the print."""
    examples: tuple[VoicePrint, ...] = ()
    """Single prints of it, as unlike each other as they came."""
    given: float = 0.0
    """Of ``seconds``, those that were given before the session."""
    split: int | None = None
    """The voice that this one was taken for until just now. Unset by the first print that joins it."""

    def likeness(self, voice_print: VoicePrint, handicap: float) -> float:
        """Cosine to the mean print, or to the nearest example less ``handicap``."""
        nearest = max((float(e @ voice_print) for e in self.examples), default=-1.0)
        return max(float(self.print @ voice_print), nearest - handicap)


@dataclass(frozen=True, slots=True, eq=False)
class _Follow:
    """One speaker of the segmentation, followed from look to look."""

    voice: int | None = None
    checked: float = float("-inf")
    """Media time up to which its speech went into a voice print."""
    since: float = float("-inf")
    """Media time from which it no longer sounded like the voice it was followed as. While it has no
    voice, only speech from then on counts."""
    print: VoicePrint | None = None
    """The last print."""
    print_seconds: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class SpeakerState:
    """Everything the detector carries from look to look. Plain and small; holds no sound."""

    voices: tuple[Voice, ...] = ()
    apart_at: float = float("-inf")
    """Media time of the last look in which two speakers were clearly apart."""
    compared_at: float = float("-inf")
    """Media time of the last look that compared longer prints."""
    time: float = float("-inf")
    """Media time of the end of the last look."""
    activity: Activity = field(default_factory=lambda: np.zeros((FRAMES, LOCAL_SPEAKERS), np.bool_))
    follows: tuple[_Follow | None, ...] = (None,) * LOCAL_SPEAKERS


class SpeakerDetector:
    """Tells voices apart. Shared by all sessions: it keeps no state of its own."""

    def __init__(
        self,
        segmentation: OnnxNetwork,
        embedding: OnnxNetwork,
        settings: SpeakerSettings | None = None,
    ) -> None:
        self.settings = settings or SpeakerSettings()
        self.segmentation = segmentation
        self._embedding = embedding

    def enrol(self, waveform: Waveform) -> VoicePrint:
        """The voice print of a recording of one person, speech throughout."""
        return embed(self._embedding, filterbank(waveform))

    def look(
        self, state: SpeakerState, window: Waveform, time: float, *, speech: float = 0.0
    ) -> tuple[SpeakerState, SpeakerLook]:
        """Look at the last ten seconds.

        Args:
            state: what the look before returned.
            window: (160000,), ending at ``time``; zeros where nothing was heard.
            time: media time of the window's end in seconds.
            speech: seconds of speech that voice activity found since the look before.

        Returns:
            The state for the next look, and what was heard since the look before.
        """
        activity = segment(self.segmentation, window)
        recent = frames_in(self.settings.heard_within)
        if speech >= self.settings.unheard and not activity[-recent:].any():
            activity = segment(self.segmentation, _older_half_silent(window))
        follows = _followed(state, activity, time)
        alone = activity & (activity.sum(axis=1) == 1)[:, None]
        since = min(frames_in(time - state.time), FRAMES) if state.time > float("-inf") else FRAMES
        looking = _Looking(self, list(state.voices), list(follows), alone, window, time)
        for speaker in range(LOCAL_SPEAKERS):
            if activity[-recent:, speaker].any():
                looking.tell(speaker)
        apart_at = looking.tell_apart(state.apart_at)
        compared_at, apart_at = looking.compare_longer(state.compared_at, apart_at)
        after = SpeakerState(
            tuple(looking.voices), apart_at, compared_at, time, activity, tuple(looking.follows)
        )
        return after, self._report(looking, activity, since)

    def silence(self, state: SpeakerState) -> SpeakerLook:
        """What a look gives when nobody spoke: nothing need be run for that."""
        return SpeakerLook((), self._enrolment(state.voices), overlap=0.0, unplaced=0.0)

    def _enrolment(self, voices: Sequence[Voice]) -> float:
        candidate = next((v for v in voices if v.number == CANDIDATE), None)
        if candidate is None:
            return 0.0
        return 1.0 if candidate.given else min(1.0, candidate.seconds / self.settings.enrolment)

    def _report(self, looking: _Looking, activity: Activity, since: int) -> SpeakerLook:
        lately = activity[-since:]
        candidate = next((v for v in looking.voices if v.number == CANDIDATE), None)
        heard: dict[int, VoiceHeard] = {}
        unplaced = np.zeros(since, np.bool_)
        for speaker, follow in enumerate(looking.follows):
            if follow is None or not lately[:, speaker].any():
                continue
            if follow.voice is None:
                unplaced |= lately[:, speaker]
                continue
            voice = next(v for v in looking.voices if v.number == follow.voice)
            seconds = float(looking.alone[:, speaker].sum() * SEGMENT_STEP)
            similarity = (
                None
                if voice.number == CANDIDATE or candidate is None
                else float(voice.print @ candidate.print)
            )
            heard[voice.number] = VoiceHeard(
                voice.number,
                similarity,
                0.0 if voice.number == CANDIDATE else confidence_of_another(similarity),
                seconds,
            )
        return SpeakerLook(
            voices=tuple(heard[number] for number in sorted(heard)),
            enrolment=self._enrolment(looking.voices),
            overlap=float((lately.sum(axis=1) >= 2).sum() * SEGMENT_STEP),
            unplaced=float(unplaced.sum() * SEGMENT_STEP),
        )

    def print_of(
        self, window: Waveform, frames: NDArray[np.bool_], after: float, most: float
    ) -> VoicePrint:
        """The print of the latest marked frames of a window (see ``_feature_frames``)."""
        chosen = _feature_frames(frames, after)[-round(most * SAMPLE_RATE / FRAME_STEP) :]
        return embed(self._embedding, filterbank(window, chosen))


class _Looking:
    """One look in progress."""

    def __init__(
        self,
        detector: SpeakerDetector,
        voices: list[Voice],
        follows: list[_Follow | None],
        alone: Activity,
        window: Waveform,
        time: float,
    ) -> None:
        self.voices = voices
        self.follows = follows
        self.alone = alone
        self._detector = detector
        self._settings = detector.settings
        self._window = window
        self._start = time - WINDOW / SAMPLE_RATE
        self._time = time

    def tell(self, speaker: int) -> None:
        """Take the speaker's print if there is enough new speech, and place it."""
        follow = self.follows[speaker] or _Follow()
        settings = self._settings
        mine = self.alone[:, speaker]
        times = self._start + FRAME_CENTRE + SEGMENT_STEP * np.flatnonzero(mine)
        own = float((times > follow.since).sum() * SEGMENT_STEP)
        new = float((times > follow.checked).sum() * SEGMENT_STEP)
        known = follow.voice is not None
        enough = settings.check_after if known else 0.4
        if not known and follow.print_seconds < settings.new_seconds <= own:
            enough = 0.1  # the speech is over, and its last print was too short to say much
        self.follows[speaker] = follow
        if own < settings.least_seconds or new < enough:
            return
        # A known voice is checked by what it said since; an unknown one by all there is.
        after = follow.checked if known else follow.since
        most = settings.check_seconds if known else settings.print_seconds
        voice_print = self._detector.print_of(self._window, mine, after - self._start, most)
        used = min(new if known else own, most)
        follow = replace(
            follow, checked=self._time, since=after, print=voice_print, print_seconds=used
        )
        self.follows[speaker] = self._placed(follow, voice_print, min(new, used), used)

    def _placed(self, follow: _Follow, voice_print: VoicePrint, new: float, used: float) -> _Follow:
        settings = self._settings
        handicap = settings.example_handicap
        likeness = {v.number: v.likeness(voice_print, handicap) for v in self.voices}
        if not likeness:
            if used < settings.new_seconds:
                return follow
            return replace(follow, voice=self._add(voice_print, used))
        best = max(likeness, key=lambda number: likeness[number])
        candidate = self.voices[0]
        enrolled = candidate.given > 0 or candidate.seconds >= settings.enrolment
        if likeness[best] >= self._joins(best):
            followed = next((v for v in self.voices if v.number == follow.voice), None)
            if followed is not None and followed.split == best:
                self._rejoin(followed, best)
            self._learn(best, voice_print, new)
            return replace(follow, voice=best)
        if likeness[best] >= self._new_below(used):
            return follow
        clear = (
            likeness[best] < settings.clear
            and candidate.seconds >= settings.clear_seconds
            and max(candidate.seconds, used) >= settings.print_seconds
        )
        short = used < settings.interjection_seconds
        if not (enrolled or clear) or short or follow.voice is not None:
            # One short print against a voice that the segmentation followed: the next print decides,
            # half a second later, longer, and of nothing said before the last that fitted.
            return replace(follow, voice=None)
        return replace(follow, voice=self._add(voice_print, used))

    def _new_below(self, seconds: float) -> float:
        """Cosine below which a print of so much speech is of a new voice."""
        settings = self._settings
        lengths = (settings.interjection_seconds, settings.new_seconds, settings.print_seconds)
        limits = (settings.interjection, settings.new_short, settings.new)
        return float(np.interp(seconds, lengths, limits))

    def _joins(self, number: int) -> float:
        """Cosine from which speech belongs to this voice."""
        settings, candidate = self._settings, self.voices[0]
        unfamiliar = candidate.seconds - candidate.given < settings.enrolment
        if candidate.given:
            return settings.given if number == CANDIDATE and unfamiliar else settings.join
        return settings.enrol if len(self.voices) == 1 and unfamiliar else settings.join

    def tell_apart(self, apart_at: float) -> float:
        """Two speakers of this very window that sound clearly different, without any enrolment.

        Returns:
            Media time of the last such look.
        """
        settings = self._settings
        sure = [
            (speaker, follow, follow.print)
            for speaker, follow in enumerate(self.follows)
            if follow is not None
            and follow.print is not None
            and follow.print_seconds >= settings.new_seconds
            and self.alone[:, speaker].sum() * SEGMENT_STEP >= settings.new_seconds
        ]
        for (one, first, first_print), (other, second, second_print) in combinations(sure, 2):
            if self._time not in (first.checked, second.checked):
                continue
            told = first.voice is not None and second.voice is not None
            if told and first.voice != second.voice:
                continue
            limit = settings.apart
            if told:
                limit = settings.young_split if self._is_young(first) else settings.split
            if float(first_print @ second_print) >= limit:
                continue
            if self._time - apart_at > settings.apart_within:
                return self._time
            # A candidate's own voice in two is a false alarm that stays: all that was said decides.
            pair = self._longest(one, first), self._longest(other, second)
            if float(pair[0][2] @ pair[1][2]) >= settings.long_split:
                continue
            self._part(*pair)
            return self._time
        return apart_at

    def _longest(self, speaker: int, follow: _Follow) -> tuple[int, _Follow, VoicePrint]:
        """A speaker with the print of as much of their speech as the window holds."""
        most = self._settings.long_most
        mine = self.alone[:, speaker]
        voice_print = self._detector.print_of(self._window, mine, float("-inf"), most)
        seconds = min(float(mine.sum() * SEGMENT_STEP), most)
        return speaker, replace(follow, print_seconds=seconds), voice_print

    def _is_young(self, follow: _Follow) -> bool:
        """Whether the voice that a speaker was taken for has learned little here yet."""
        voice = next((v for v in self.voices if v.number == follow.voice), None)
        return voice is not None and voice.seconds - voice.given < self._settings.young

    def compare_longer(self, compared_at: float, apart_at: float) -> tuple[float, float]:
        """Look closer at two speakers of this window that were taken for one young voice.

        Returns:
            Media times of the last look that did, and of the last that found two clearly apart.
        """
        settings = self._settings
        if self._time - compared_at < settings.long_every:
            return compared_at, apart_at
        for one, other in combinations(range(LOCAL_SPEAKERS), 2):
            first, second = self.follows[one], self.follows[other]
            if first is None or second is None or not self._is_young(first):
                continue
            both = self.alone[:, (one, other)].sum(axis=0) * SEGMENT_STEP
            if first.voice != second.voice or both.min() < settings.long_seconds:
                continue
            pair = self._longest(one, first), self._longest(other, second)
            if float(pair[0][2] @ pair[1][2]) >= settings.long_split:
                return self._time, apart_at
            if 0 < self._time - apart_at <= settings.apart_within:
                self._part(*pair)
            return self._time, self._time
        return compared_at, apart_at

    def _part(
        self, one: tuple[int, _Follow, VoicePrint], other: tuple[int, _Follow, VoicePrint]
    ) -> None:
        """Give two speakers a voice each, where they had none or shared one."""
        split = one[1].voice if one[1].voice == other[1].voice else None
        if split is not None:
            # The voice had learned from both. It stays with the one it is more like, anew.
            index = next(i for i, v in enumerate(self.voices) if v.number == split)
            learned = self.voices[index].print
            if float(learned @ other[2]) > float(learned @ one[2]):
                one, other = other, one
            number = self.voices[index].number
            self.voices[index] = replace(
                self.voices[index],
                print=one[2],
                seconds=one[1].print_seconds,
                examples=(one[2],),
                given=min(self.voices[index].given, one[1].print_seconds),
            )
            other = (other[0], replace(other[1], voice=None), other[2])
        for speaker, follow, voice_print in (one, other):
            if follow.voice is None:
                number = self._add(voice_print, follow.print_seconds, split)
                self.follows[speaker] = replace(follow, voice=number)

    def _rejoin(self, part: Voice, number: int) -> None:
        """Take a split back: whom the segmentation followed on from it sounds like the voice it left."""
        index = next(i for i, v in enumerate(self.voices) if v.number == number)
        whole = self.voices[index]
        examples = whole.examples
        for example in part.examples:
            examples = _varied((*examples, example), self._settings.examples)
        both = whole.print * np.float32(whole.seconds) + part.print * np.float32(part.seconds)
        seconds = whole.seconds + part.seconds
        self.voices[index] = replace(
            whole, print=normalised(both), seconds=seconds, examples=examples
        )
        self.voices.remove(part)
        for speaker, follow in enumerate(self.follows):
            if follow is not None and follow.voice == part.number:
                self.follows[speaker] = replace(follow, voice=number)

    def _add(self, voice_print: VoicePrint, seconds: float, split: int | None = None) -> int:
        number = self._next_number()
        self.voices.append(Voice(number, voice_print, seconds, (voice_print,), split=split))
        return number

    def _next_number(self) -> int:
        return 1 + max((voice.number for voice in self.voices), default=0)

    def _learn(self, number: int, voice_print: VoicePrint, seconds: float) -> None:
        for index, voice in enumerate(self.voices):
            if voice.number == number:
                total = voice.print * np.float32(voice.seconds) + voice_print * np.float32(seconds)
                examples = _varied((*voice.examples, voice_print), self._settings.examples)
                mean = normalised(total)
                self.voices[index] = replace(
                    voice,
                    print=mean,
                    seconds=voice.seconds + seconds,
                    examples=examples,
                    split=None,
                )
                self._regroup(index)

    def _regroup(self, index: int) -> None:
        """Split a voice that turns out to have learned from two."""
        voice, settings = self.voices[index], self._settings
        groups = two_groups(voice.examples, settings.groups_apart, settings.groups_alike)
        if groups is None:
            return
        share = voice.seconds / len(voice.examples)
        kept, other = (
            Voice(number, _mean(prints), share * len(prints), prints)
            for number, prints in zip((voice.number, self._next_number()), groups, strict=True)
        )
        self.voices[index] = replace(kept, given=min(voice.given, kept.seconds))
        self.voices.append(other)
        for speaker, follow in enumerate(self.follows):
            if follow is not None and follow.voice == voice.number and follow.print is not None:
                nearer = float(other.print @ follow.print) > float(kept.print @ follow.print)
                self.follows[speaker] = replace(follow, voice=(other if nearer else kept).number)


def _varied(prints: tuple[VoicePrint, ...], most: int) -> tuple[VoicePrint, ...]:
    """At most so many prints: of the two most alike the older goes."""
    if len(prints) <= most:
        return prints
    matrix = np.stack(prints)
    alike = matrix @ matrix.T - 2 * np.eye(len(prints), dtype=np.float32)
    older = min(divmod(int(alike.argmax()), len(prints)))
    return prints[:older] + prints[older + 1 :]


def with_candidate(
    state: SpeakerState, prints: tuple[VoicePrint, ...], seconds: float, join: float
) -> SpeakerState:
    """The state once the candidate's voice is given: from then on it is number 1.

    Args:
        state: where the session stands.
        prints: of the given voice.
        seconds: speech that went into them.
        join: cosine from which a voice heard so far was the candidate's.
    """
    given = Voice(CANDIDATE, _mean(prints), seconds, prints, given=seconds)
    others = [v for v in state.voices if float(v.print @ given.print) < join]
    free = 1 + max((voice.number for voice in state.voices), default=CANDIDATE)
    others = [replace(v, number=free) if v.number == CANDIDATE else v for v in others]
    # Who is who is asked again at the next look, of all that its window holds.
    return replace(state, voices=(given, *others), follows=(None,) * LOCAL_SPEAKERS)


def two_groups(
    prints: tuple[VoicePrint, ...], apart: float, alike: float
) -> tuple[tuple[VoicePrint, ...], tuple[VoicePrint, ...]] | None:
    """Prints in two groups, the older one first, if they are clearly two voices.

    Args:
        prints: in the order in which they were taken.
        apart: cosine of the groups' means below which they are two.
        alike: least cosine of a print to the mean of its group. Each has two prints or more.
    """
    if len(prints) < 4:
        return None
    matrix = np.stack(prints)
    one, other = divmod(int((matrix @ matrix.T).argmin()), len(prints))
    centres = (matrix[one], matrix[other])
    for _ in range(2):  # two rounds of 2-means, from the two least alike
        second = matrix @ centres[1] > matrix @ centres[0]
        if second.sum() < 2 or (~second).sum() < 2:
            return None
        centres = (_mean(tuple(matrix[~second])), _mean(tuple(matrix[second])))
    within = min((matrix[~second] @ centres[0]).min(), (matrix[second] @ centres[1]).min())
    if float(centres[0] @ centres[1]) >= apart or within < alike:
        return None
    groups = (
        tuple(p for p, is_second in zip(prints, second, strict=True) if not is_second),
        tuple(p for p, is_second in zip(prints, second, strict=True) if is_second),
    )
    return groups[::-1] if second[0] else groups


def _mean(prints: tuple[VoicePrint, ...]) -> VoicePrint:
    return normalised(np.sum(prints, axis=0, dtype=np.float32))


def confidence_of_another(similarity: float | None) -> float:
    """How sure one may be that a voice of this cosine to the candidate's is somebody else."""
    if similarity is None:
        return 0.5
    return float(1.0 / (1.0 + np.exp((similarity - 0.40) / 0.06)))


def _older_half_silent(window: Waveform) -> Waveform:
    """The same sound without the context in which the segmentation heard nobody.

    It may do so for seconds of plain speech, at every gain and with any dither, because of what came
    before: of three sessions in which the other was missed altogether, this was the reason in one.
    """
    half = WINDOW // 2
    return np.concatenate([np.zeros(half, np.float32), window[half:]])


def _followed(state: SpeakerState, activity: Activity, time: float) -> tuple[_Follow | None, ...]:
    """Which speaker of this window is which of the window before, by the time they share."""
    shift = frames_in(time - state.time) if state.time > float("-inf") else FRAMES
    if shift >= FRAMES:
        return (None,) * LOCAL_SPEAKERS
    before, now = state.activity[shift:], activity[: FRAMES - shift]
    both = (before[:, :, None] & now[:, None, :]).sum(axis=0)
    either = (before[:, :, None] | now[:, None, :]).sum(axis=0)
    alike = both / np.maximum(either, 1)
    follows: list[_Follow | None] = [None] * LOCAL_SPEAKERS
    for _ in range(LOCAL_SPEAKERS):
        old, new = np.unravel_index(int(alike.argmax()), alike.shape)
        if alike[old, new] < 0.5:
            break
        follows[new] = state.follows[old]
        alike[old, :] = alike[:, new] = -1
    return tuple(follows)


def _feature_frames(marked: NDArray[np.bool_], after: float) -> NDArray[np.intp]:
    """Filterbank frames that lie in marked segmentation frames.

    Args:
        marked: (589,) frames of the segmentation.
        after: seconds into the window before which nothing is taken.
    """
    centres = (FRAME_LENGTH / 2 + FRAME_STEP * np.arange(frame_count(WINDOW))) / SAMPLE_RATE
    nearest = np.clip(np.rint((centres - FRAME_CENTRE) / SEGMENT_STEP), 0, FRAMES - 1)
    return np.flatnonzero(marked[nearest.astype(np.intp)] & (centres > after))
