r"""Detection of a second speaker, and false alarms on a single one.

    uv run python -m evaluation.speakers DATA [--split development|held-out] \
        [--parts one two short meetings long] [--draws 6]
        [--hours 2] [--within 7200] [--conditions clean room moving]

``long`` is not among the default parts: one-speaker sessions of all six people until ``--hours`` of
audio were analysed or ``--within`` seconds have passed; ``--conditions`` lets several machines or
processes share them.

Sessions are composed from real speech with fixed seeds: one-speaker sessions (utterances of one
person with pauses between), two-speaker sessions (a second person says one utterance in the
middle), each clean and degraded (:mod:`evaluation.degradation`), and real meetings and a play.
Speakers are split into development and held-out: thresholds were chosen on the development speakers
only.
"""

from __future__ import annotations

import argparse
import sys
import time as clock
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count, permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.degradation import RATE, Audio, Room, add_noise, at_level, convolve, through_opus
from evaluation.speech import Turn, fetch_carried_speech, read_pcm, read_speech, read_turns
from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.diarization.speaker import CANDIDATE
from proctoring.audio.diarization.state import DiarizationState
from proctoring.audio.networks import AudioModels, load_audio_models
from proctoring.audio.pcm import to_pcm, to_waveform
from proctoring.audio.segmentation import FRAME_CENTRE, FRAME_STEP, WINDOW
from proctoring.models.store import ModelStore
from proctoring.observations import AudioObservation
from proctoring.settings import Settings

DEVELOPMENT = ("1688", "2414", "2609")
HELD_OUT = ("1998", "2033", "two_cities")
MEETINGS_DEVELOPMENT = ("trn01", "trn03", "trn05", "trn07", "trn09")
MEETINGS_HELD_OUT = ("trn02", "trn04", "trn06", "trn08", "sample", "endgame_nagg_nell")
ALIKE = 1.3
"""Voices whose median pitches differ by less than this factor count as alike (same gender)."""
PITCH = {"1688": 219, "1998": 200, "2033": 158, "2414": 122, "2609": 125, "two_cities": 123}
"""Median pitch in Hz, by autocorrelation. The recordings come without the speakers' genders."""
CONDITIONS = ("clean", "room", "moving")
PARTS = ("one", "two", "short", "meetings")
LONG = "long"
FIRST_LONG = 2000
"""First draw of ``long``. Thresholds were chosen on draws below 1000 and rules on some from 1000 on."""
CLOSES_AFTER = 10.0
"""Alarms closer than this are one incident (``closes_after`` of ``audio.multiple_speakers``)."""


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """One composed session."""

    condition: str
    alike: bool
    audio: NDArray[np.int16]
    second: Turn | None
    """The second person's turn."""


class Voices:
    """Utterances by person."""

    def __init__(self, data: Path, carried: Path) -> None:
        self._speech: dict[str, list[Audio]] = {}
        for folder in sorted((data / "speech" / "librispeech").iterdir()):
            if folder.is_dir():
                self._speech[folder.name] = [read_speech(f) for f in sorted(folder.glob("*.flac"))]
        cities = read_speech(carried / "two_cities.wav")
        # One file holds all utterances: cut into pieces of about seven seconds.
        self._speech["two_cities"] = np.array_split(cities, 6)
        self.grid = [read_speech(f) for f in sorted((data / "video" / "grid").glob("*.mpg"))]

    def __getitem__(self, person: str) -> list[Audio]:
        return self._speech[person]


def degraded(
    turns: list[tuple[Audio, bool, float]], condition: str, random: np.random.Generator
) -> tuple[Audio, list[tuple[float, float]]]:
    """Compose the audio of several turns.

    Args:
        turns: speech, whether it is the second person's, seconds of pause before it.
        condition: ``clean``; ``room``: one room, the candidate near, the other far and 8 dB
            quieter, noise 10 to 20 dB below speech, Opus; ``quiet``: the same with the other 14 dB
            quieter and noise at 20 dB; ``moving``: the candidate's distance (0.4 to 2 m, 9 dB) and
            direction change with every utterance, noise 19 dB below the farthest.
        random: source of all random choices.

    Returns:
        The audio and each turn's start and end in seconds.
    """
    room = Room(random)
    near = room.response_from(0.6)
    far = room.response_from(float(random.uniform(2.0, 3.0)))
    softer = {"room": 8.0, "quiet": 14.0}.get(condition, 4.0)
    pieces, times, length = [], [], 0
    for speech, second, pause in turns:
        if condition == "clean":
            heard = at_level(speech, -26.0 + float(random.uniform(-2, 2)))
        elif second:
            heard = at_level(convolve(speech, far), -26.0 - softer)
        elif condition == "moving":
            distance = float(random.uniform(0.4, 2.0))
            response = room.response_from(distance)
            heard = at_level(convolve(speech, response), -24.0 - 8.0 * np.log2(distance / 0.4) / 2)
        else:
            heard = at_level(convolve(speech, near), -26.0)
        silence = np.zeros(int(pause * RATE))
        pieces += [silence, heard]
        start = length + len(silence)
        length = start + len(heard)
        times.append((start / RATE, length / RATE))
    audio = np.concatenate([*pieces, np.zeros(RATE)])
    if condition == "clean":
        return add_noise(audio, -70.0, random), times
    below = {"quiet": 20.0, "moving": 26.0}.get(condition, float(random.uniform(10.0, 20.0)))
    return through_opus(add_noise(audio, -26.0 - below, random)), times


def one_speaker(voices: Voices, person: str, condition: str, draw: int) -> Session:
    """All utterances of a person in random order, with pauses of up to three seconds."""
    random = seeded("one", person, condition, draw)
    order = random.permutation(len(voices[person]))
    turns = [(voices[person][i], False, float(random.uniform(0.3, 3.0))) for i in order]
    audio, _ = degraded(turns, condition, random)
    return Session(condition, False, to_pcm(audio), None)


def two_speakers(
    voices: Voices, person: str, other: str, condition: str, draw: int, seconds: float | None = None
) -> Session:
    """A person speaks for at least eight seconds, another interrupts, the first continues."""
    random = seeded("two", person, other, condition, draw)
    own = [voices[person][i] for i in random.permutation(len(voices[person]))]
    if other == "grid":
        said = voices.grid[draw % len(voices.grid)]
    else:
        long = [u for u in voices[other] if len(u) >= 2.5 * RATE]
        said = long[int(random.integers(len(long)))][: 8 * RATE]
    if seconds is not None:
        said = said[: int(seconds * RATE)]
    before = 0
    turns: list[tuple[Audio, bool, float]] = []
    while before < 8 * RATE:
        turns.append((own.pop(), False, float(random.uniform(0.3, 2.0))))
        before += len(turns[-1][0])
    turns.append((said, True, float(random.uniform(0.2, 1.5))))
    turns.append((own.pop(), False, float(random.uniform(0.2, 1.5))))
    audio, times = degraded(turns, condition, random)
    alike = other != "grid" and max(PITCH[person], PITCH[other]) < ALIKE * min(
        PITCH[person], PITCH[other]
    )
    return Session(condition, alike, to_pcm(audio), Turn(*times[-2], other))


def seeded(*words: object) -> np.random.Generator:
    """A generator seeded by the words, the same on every machine."""
    return np.random.default_rng(zlib.crc32(" ".join(map(str, words)).encode()))


def alarms(models: AudioModels, audio: NDArray[np.int16]) -> list[float]:
    """Media times of observations with a speaker other than the candidate."""
    analyser = AudioAnalyser(models)
    return [o.time for o in (*analyser.push(audio), *analyser.flush()) if is_alarm(o)]


def is_alarm(observation: AudioObservation) -> bool:
    """Whether this observation meets the condition of ``audio.multiple_speakers``."""
    look = observation.diarization
    return look is not None and any(voice.number != CANDIDATE for voice in look.speakers)


def incidents(times: list[float]) -> int:
    """The number of incidents: alarms closer than ``CLOSES_AFTER`` count once."""
    return sum(1 for i, time in enumerate(times) if i == 0 or time - times[i - 1] > CLOSES_AFTER)


def print_one_speaker(models: AudioModels, title: str, sessions: Iterator[Session]) -> None:
    """Print false alarms per hour, by condition."""
    seconds: dict[str, float] = {}
    false: dict[str, int] = {}
    for session in sessions:
        found = incidents(alarms(models, session.audio))
        for key in (session.condition, "all"):
            seconds[key] = seconds.get(key, 0.0) + len(session.audio) / RATE
            false[key] = false.get(key, 0) + found
    for key in seconds:
        per_hour = false[key] / seconds[key] * 3600
        print(
            f"{title:34} {key:10} {seconds[key] / 60:6.1f} min  {false[key]:3d} false alarms"
            f"  {per_hour:5.2f} per hour",
            flush=True,
        )


def print_long(
    models: AudioModels,
    voices: Voices,
    seconds: float,
    until: float,
    conditions: Sequence[str] = CONDITIONS,
) -> None:
    """Print false alarms of long one-speaker sessions, by condition, and each alarm.

    Args:
        seconds: audio to analyse.
        until: monotonic time at which to stop in any case.
        conditions: conditions of the sessions.
    """
    heard, false = dict.fromkeys(conditions, 0.0), dict.fromkeys(conditions, 0)
    told = 0.0
    every = (
        (draw, condition, person)
        for draw in count(FIRST_LONG)
        for condition in conditions
        for person in (*DEVELOPMENT, *HELD_OUT)
    )
    for draw, condition, person in every:
        if sum(heard.values()) >= seconds or clock.monotonic() >= until:
            break
        session = one_speaker(voices, person, condition, draw)
        found = alarms(models, session.audio)
        heard[condition] += len(session.audio) / RATE
        false[condition] += incidents(found)
        if found:
            print(f"  false alarm: {person}, {condition}, {draw}, at {found[0]:.1f} s", flush=True)
        if sum(heard.values()) - told >= 600:
            told = sum(heard.values())
            _print_heard(heard, false)
    _print_heard(heard, false)


def _print_heard(heard: dict[str, float], false: dict[str, int]) -> None:
    total = sum(heard.values())
    parts = ", ".join(f"{c} {false[c]} in {heard[c] / 60:.1f} min" for c in heard)
    rate = sum(false.values()) / total * 3600
    print(
        f"one person, {total / 60:.1f} min: {rate:.2f} false alarms an hour ({parts})", flush=True
    )


def print_two_speakers(models: AudioModels, title: str, sessions: Iterator[Session]) -> None:
    """Print share detected and delay, by condition and for similar voices."""
    rows: dict[str, list[float | None]] = {}
    early = 0
    for session in sessions:
        assert session.second is not None
        turn = session.second
        heard = alarms(models, session.audio)
        early += incidents([t for t in heard if t < turn.start])
        after = [t for t in heard if turn.start <= t <= turn.end + 3.0]
        delay = after[0] - turn.start if after else None
        for key in (session.condition, *(["alike"] if session.alike else []), "all"):
            rows.setdefault(key, []).append(delay)
    for key, delays in rows.items():
        found = [d for d in delays if d is not None]
        text = f"{title:34} {key:10} found {len(found):3d} of {len(delays):3d}"
        if found:
            median, late = np.quantile(found, 0.5), np.quantile(found, 0.9)
            text += f" ({len(found) / len(delays):.1%})  delay {median:.1f} s, 90% {late:.1f} s"
        print(text + (f"  ({early} false alarms before)" if key == "all" else ""), flush=True)


def print_meeting(
    models: AudioModels, name: str, audio: NDArray[np.int16], turns: list[Turn]
) -> None:
    """Print when a second speaker is reported and when one has spoken for 1.5 s."""
    spoken: dict[str, float] = {}
    second_at = None
    for turn in turns:
        spoken[turn.speaker] = spoken.get(turn.speaker, 0.0) + turn.end - turn.start
        if sum(total >= 1.5 for total in spoken.values()) >= 2 and second_at is None:
            second_at = turn.start
    heard = alarms(models, audio)
    truth = (
        f"{len(spoken)} voices, second from {second_at:.1f} s"
        if second_at is not None
        else (f"{len(spoken)} voices, fewer than two of 1.5 s")
    )
    print(
        f"  {name:20} {truth:40} reported {f'at {heard[0]:.1f} s' if heard else 'never'}",
        flush=True,
    )


def overlap_counts(
    models: AudioModels, audio: NDArray[np.int16], turns: list[Turn]
) -> NDArray[np.int64]:
    """Frames in the last second of every window.

    Returns:
        Frames with overlap that are correct, false and missed; speakers missed or too many, and speakers, both
        summed over the frames.
    """
    assert models.speakers is not None
    state = DiarizationState()
    padded = np.concatenate([np.zeros(WINDOW, np.int16), audio])
    counts = np.zeros(5, np.int64)
    for end in range(RATE, len(audio) + 1, RATE):
        window = to_waveform(padded[end : end + WINDOW])
        state, _ = models.speakers.diarize(state, window, end / RATE)
        last = round(1.0 / FRAME_STEP)
        active = state.activity[-last:].sum(axis=1, dtype=np.int64)
        times = (end - WINDOW) / RATE + FRAME_CENTRE + FRAME_STEP * np.arange(589)[-last:]
        speak = np.zeros(last, np.int64)
        for turn in turns:
            speak += (times >= turn.start) & (times < turn.end)
        says, true = active >= 2, speak >= 2
        counts += [
            (says & true).sum(),
            (says & ~true).sum(),
            (~says & true).sum(),
            np.abs(active - speak).sum(),
            speak.sum(),
        ]
    return counts


def print_meetings(models: AudioModels, names: tuple[str, ...], data: Path, carried: Path) -> None:
    """Print every excerpt, and overlap over all labelled ones."""
    folder = data / "speech" / "meetings"
    labelled = read_turns(folder / "debug.train.rttm") | read_turns(folder / "sample.rttm")
    counts = np.zeros(5, np.int64)
    for name in names:
        audio = read_pcm((folder if name in labelled else carried) / f"{name}.wav")
        # The play has no label file; these are the turns of its two speakers.
        turns = labelled.get(name, [Turn(0.0, 8.4, "Nagg"), Turn(8.6, 11.5, "Nell")])
        print_meeting(models, name, audio, turns)
        if name in labelled:
            counts += overlap_counts(models, audio, turns)
    right, wrong, missed, errors, spoken = (int(count) for count in counts)
    print(
        f"  overlap: precision {right / max(right + wrong, 1):.3f},"
        f" recall {right / max(right + missed, 1):.3f} (of {(right + missed) * FRAME_STEP:.0f} s);"
        f" speakers missed or too many in {errors / max(spoken, 1):.2%} of the frames of all speakers"
    )


def evaluate(
    models: AudioModels, voices: Voices, people: tuple[str, ...], parts: set[str], *, draws: int
) -> None:
    """Print every part that is composed from the voices of ``people``."""
    if "one" in parts:
        print_one_speaker(
            models,
            "one speaker",
            (
                one_speaker(voices, person, condition, draw)
                for condition in CONDITIONS
                for person in people
                for draw in range(draws)
            ),
        )
    if "two" in parts:
        print_pairs(models, voices, people, draws=draws)
    if "short" in parts:
        print_interjections(models, voices, people, draws=draws)


def print_pairs(
    models: AudioModels, voices: Voices, people: tuple[str, ...], *, draws: int
) -> None:
    """Print detection for every ordered pair of people, in every condition."""
    pairs = list(permutations(people, 2))
    print_two_speakers(
        models,
        "second speaker, 2.5 to 8 s",
        (
            two_speakers(voices, one, other, condition, draw)
            for condition in (*CONDITIONS, "quiet")
            for one, other in pairs
            for draw in range(max(1, draws // 2))
        ),
    )


def print_interjections(
    models: AudioModels, voices: Voices, people: tuple[str, ...], *, draws: int
) -> None:
    """Print the same for short interjections: 0.7 s is a word or two."""
    pairs = list(permutations(people, 2))
    for seconds in (0.7, 1.0, 1.5, 2.0):
        print_two_speakers(
            models,
            f"interjection of {seconds} s",
            (
                two_speakers(voices, one, other, condition, draw, seconds)
                for condition in ("clean", "room")
                for one, other in pairs
                for draw in range(max(1, draws // 3))
            ),
        )


def print_splits(
    models: AudioModels,
    voices: Voices,
    data: Path,
    carried: Path,
    *,
    parts: set[str],
    split: str | None,
    draws: int,
) -> None:
    """Print every part but ``long``, for one half of the voices or both.

    Args:
        split: ``development``, ``held-out`` or ``None`` for both.
        draws: sessions per person and condition.
    """
    for name, people, meetings in (
        ("development", DEVELOPMENT, MEETINGS_DEVELOPMENT),
        ("held-out", HELD_OUT, MEETINGS_HELD_OUT),
    ):
        if split not in (None, name) or not parts & set(PARTS):
            continue
        print(f"\n{name} voices: {', '.join(people)}")
        evaluate(models, voices, people, parts, draws=draws)
        if name == "held-out" and "short" in parts:
            print_two_speakers(
                models,
                "held-out short commands (GRID)",
                (
                    two_speakers(voices, person, "grid", condition, draw)
                    for condition in ("clean", "room")
                    for person in people
                    for draw in range(len(voices.grid) if draws > 2 else 4)
                ),
            )
        if "meetings" in parts:
            print_meetings(models, meetings, data, carried)


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", choices=("development", "held-out"), default=None)
    parser.add_argument("--draws", type=int, default=6, help="sessions per person and condition")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=(*PARTS, LONG))
    parser.add_argument("--hours", type=float, default=2.0, help="of audio, in the part 'long'")
    parser.add_argument("--conditions", nargs="+", default=CONDITIONS, choices=CONDITIONS)
    parser.add_argument("--within", type=float, default=7200.0, help="seconds for the part 'long'")
    arguments = parser.parse_args()
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    models = load_audio_models(store)
    if models.speakers is None:
        sys.exit("\n".join(c.reason for c in models.capabilities if not c.available))
    carried = fetch_carried_speech(store)
    voices = Voices(arguments.data, carried)
    started = clock.monotonic()
    if LONG in arguments.parts:
        until = started + arguments.within
        print_long(models, voices, arguments.hours * 3600, until, arguments.conditions)
    print_splits(
        models,
        voices,
        arguments.data,
        carried,
        parts=set(arguments.parts),
        split=arguments.split,
        draws=arguments.draws,
    )
    print(f"\n{clock.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
