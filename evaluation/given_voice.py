r"""Accuracy with a speaker reference given in advance, and which recordings are refused as one.

    uv run python -m evaluation.given_voice DATA [--parts references meetings one first]

References are other utterances of the same person than those of the session, recorded clean; the
sessions are clean and degraded, so microphone and room differ from those of the reference. In
meetings the reference is speech of that person alone in another part, cut by the labels.
"""

from __future__ import annotations

import argparse
import sys
import time as clock
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.degradation import RATE
from evaluation.speakers import (
    CONDITIONS,
    DEVELOPMENT,
    HELD_OUT,
    Voices,
    degraded,
    incidents,
    is_alarm,
    seeded,
)
from evaluation.speech import Turn, fetch_carried_speech, read_pcm, read_turns
from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.networks import AudioModels, load_audio_models
from proctoring.audio.pcm import to_pcm
from proctoring.audio.speaker_reference import SpeakerReference, analyse_reference
from proctoring.errors import BadVoiceError
from proctoring.models.store import ModelStore
from proctoring.settings import Settings

PARTS = ("references", "meetings", "first", "one")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Part of a meeting, with one of its speakers as the candidate."""

    name: str
    person: str
    reference: tuple[tuple[str, float, float], ...]
    """Excerpt, start and end of speech of that person alone."""
    until: float = 30.0
    """Seconds at which the excerpt ends; the rest is used for references."""


MEETINGS = (
    Excerpt("trn06", "FEE083", (("trn09", 6.2, 12.8), ("trn09", 18.4, 24.9))),
    Excerpt("trn09", "FEE083", (("trn06", 14.0, 21.7),)),
    Excerpt("trn09", "MEE094", (("trn09", 25.0, 27.3), ("trn09", 14.2, 18.2)), 14.0),
    Excerpt("trn08", "FEE087", (("trn07", 8.3, 9.7), ("trn07", 15.6, 18.4))),
    Excerpt(
        "trn07", "FEE087", (("trn08", 12.0, 12.7), ("trn08", 16.3, 18.5), ("trn08", 14.6, 14.9))
    ),
    Excerpt("sample", "speaker90", (("sample", 18.6, 21.4), ("sample", 27.9, 30.0)), 18.0),
    Excerpt("sample", "speaker91", (("sample", 21.8, 27.8),), 21.0),
    Excerpt("trn04", "MEE075", (("trn04", 16.8, 21.1), ("trn04", 21.8, 23.9)), 16.8),
    Excerpt("trn03", "MÉO069", (("trn03", 20.0, 30.0),), 20.0),
    Excerpt("trn05", "FEE078", (("trn05", 20.0, 30.0),), 19.6),
)


def alarms(
    models: AudioModels, audio: NDArray[np.int16], reference: SpeakerReference | None
) -> list[float]:
    """Media times of observations with a speaker other than the candidate."""
    analyser = AudioAnalyser(models)
    if reference is not None:
        analyser.set_reference(reference.embeddings, reference.seconds)
    return [o.time for o in (*analyser.push(audio), *analyser.flush()) if is_alarm(o)]


def print_references(models: AudioModels, voices: Voices, people: tuple[str, ...]) -> None:
    """Print how many recordings of one person are refused, and of two are accepted."""
    for condition in ("clean", "room", "moving"):
        refused: list[str] = []
        tried = 0
        for person in people:
            for draw in range(4):
                random = seeded("reference", person, condition, draw)
                pieces = [voices[person][i] for i in random.permutation(len(voices[person]))[:2]]
                audio, _ = degraded([(p, False, 0.5) for p in pieces], condition, random)
                tried += 1
                try:
                    analyse_reference(models, to_pcm(audio))
                except BadVoiceError as error:
                    refused.append(error.detail)
        print(f"  one voice, {condition:8} {tried} recordings, {len(refused)} refused", flush=True)
        taken = tried = 0
        for one, other in permutations(people, 2):
            random = seeded("references", one, other, condition)
            turns = [
                (voices[one][int(random.integers(len(voices[one])))], False, 0.5),
                (voices[other][int(random.integers(len(voices[other])))][: 4 * RATE], True, 0.5),
            ]
            audio, _ = degraded(turns, condition, random)
            tried += 1
            try:
                analyse_reference(models, to_pcm(audio))
                taken += 1
            except BadVoiceError:
                pass
        print(f"  two voices, {condition:7} {tried} recordings, {taken} accepted", flush=True)


def print_meetings(models: AudioModels, data: Path) -> None:
    """Print when another speaker is reported and when one has spoken for 1.5 s."""
    folder = data / "speech" / "meetings"
    labelled = read_turns(folder / "debug.train.rttm") | read_turns(folder / "sample.rttm")
    for excerpt in MEETINGS:
        audio = read_pcm(folder / f"{excerpt.name}.wav")
        cuts = [
            read_pcm(folder / f"{name}.wav")[round(start * RATE) : round(end * RATE)]
            for name, start, end in excerpt.reference
        ]
        own = f"  {excerpt.name:7} {excerpt.person:10}"
        try:
            reference = analyse_reference(models, np.concatenate(cuts))
        except BadVoiceError as error:
            print(f"{own} reference refused: {error.detail}", flush=True)
            continue
        heard = alarms(models, audio[: round(excerpt.until * RATE)], reference)
        without = alarms(models, audio[: round(excerpt.until * RATE)], None)
        due = other_at(labelled[excerpt.name], excerpt)
        print(
            f"{own} {excerpt.until:4.1f} s, reference {reference.seconds:4.1f} s;"
            f" another {'never for 1.5 s' if due is None else f'at {due:4.1f} s':15}"
            f" reported {f'at {heard[0]:4.1f} s' if heard else 'never':10}"
            f" (not given: {f'at {without[0]:4.1f} s' if without else 'never'})",
            flush=True,
        )


def other_at(turns: list[Turn], excerpt: Excerpt) -> float | None:
    """Seconds at which another person has spoken for 1.5 s in all; ``None``: never."""
    spoken: dict[str, float] = {}
    for turn in sorted(turns, key=lambda t: t.start):
        if turn.speaker == excerpt.person or turn.start >= excerpt.until:
            continue
        before = spoken.get(turn.speaker, 0.0)
        spoken[turn.speaker] = before + min(turn.end, excerpt.until) - turn.start
        if spoken[turn.speaker] >= 1.5:
            return turn.start + 1.5 - before
    return None


def given(models: AudioModels, voices: Voices, person: str) -> SpeakerReference:
    """A reference of the first two utterances, clean; no session of this module uses them."""
    return analyse_reference(models, to_pcm(np.concatenate(voices[person][:2])))


def print_first(models: AudioModels, voices: Voices, people: tuple[str, ...]) -> None:
    """Print detection of another person who speaks before the candidate or after one utterance."""
    for condition in (*CONDITIONS, "quiet"):
        rows: dict[str, list[float | None]] = {"from the start": [], "after the first": []}
        for one, other in permutations(people, 2):
            reference = given(models, voices, one)
            for key, before in (("from the start", 0), ("after the first", 1)):
                random = seeded("first", one, other, condition, before)
                own = [voices[one][i] for i in 2 + random.permutation(len(voices[one]) - 2)]
                said = voices[other][int(random.integers(len(voices[other])))][: 6 * RATE]
                turns = [(own[i], False, 0.5) for i in range(before)]
                turns += [(said, True, 0.7), (own[2], False, 0.7)]
                audio, times = degraded(turns, condition, random)
                start, end = times[before]
                heard = alarms(models, to_pcm(audio), reference)
                after = [t for t in heard if start <= t <= end + 3.0]
                rows[key].append(after[0] - start if after else None)
        for key, delays in rows.items():
            found = [d for d in delays if d is not None]
            late = (
                f"delay {np.median(found):.1f} s, 90% {np.quantile(found, 0.9):.1f} s"
                if found
                else ""
            )
            print(
                f"  another {key:16} {condition:7} found {len(found)} of {len(delays)}  {late}",
                flush=True,
            )


def print_one(models: AudioModels, voices: Voices, people: tuple[str, ...], draws: int) -> None:
    """Print false alarms while the candidate speaks alone."""
    for condition in CONDITIONS:
        seconds, false = 0.0, 0
        for audio, reference in alone(models, voices, people, condition, draws):
            seconds += len(audio) / RATE
            false += incidents(alarms(models, audio, reference))
        print(
            f"  one person, {condition:7} {seconds / 60:5.1f} min  {false} false alarms", flush=True
        )


def alone(
    models: AudioModels, voices: Voices, people: tuple[str, ...], condition: str, draws: int
) -> Iterator[tuple[NDArray[np.int16], SpeakerReference]]:
    """Sessions of one person, each with its reference."""
    for person in people:
        reference = given(models, voices, person)
        for draw in range(draws):
            random = seeded("given", person, condition, draw)
            order = 2 + random.permutation(len(voices[person]) - 2)
            turns = [(voices[person][i], False, float(random.uniform(0.3, 3.0))) for i in order]
            yield to_pcm(degraded(turns, condition, random)[0]), reference


def print_given(
    models: AudioModels,
    voices: Voices,
    data: Path,
    *,
    parts: set[str],
    split: str | None,
    draws: int,
) -> None:
    """Print every table of ``parts``, for one half of the voices or both.

    Args:
        split: ``development``, ``held-out`` or ``None`` for both.
        draws: sessions per person and condition.
    """
    if "meetings" in parts:
        print("meetings (no split: all were seen)")
        print_meetings(models, data)
    for name, people in (("development", DEVELOPMENT), ("held-out", HELD_OUT)):
        if split not in (None, name):
            continue
        print(f"{name} voices: {', '.join(people)}")
        if "references" in parts:
            print_references(models, voices, people)
        if "first" in parts:
            print_first(models, voices, people)
        if "one" in parts:
            print_one(models, voices, people, draws)


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", choices=("development", "held-out"), default=None)
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=PARTS)
    parser.add_argument("--draws", type=int, default=2, help="sessions per person and condition")
    arguments = parser.parse_args()
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    models = load_audio_models(store)
    if models.speakers is None:
        sys.exit("\n".join(c.reason for c in models.capabilities if not c.available))
    voices = Voices(arguments.data, fetch_carried_speech(store))
    started = clock.monotonic()
    print_given(
        models,
        voices,
        arguments.data,
        parts=set(arguments.parts),
        split=arguments.split,
        draws=arguments.draws,
    )
    print(f"{clock.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
