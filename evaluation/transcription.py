"""Word error rate and cost of the local transcription on read speech.

    uv run python -m evaluation.transcription DATA

The recordings come without transcripts. References are the public-domain books that are read: E.
Gaskell, North and South (LibriSpeech speaker 1688), C. Dickens, A Tale of Two Cities; and GRID's
sentences, which its file names spell.
"""

from __future__ import annotations

import argparse
import sys
import time as clock
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.degradation import Room, add_noise, at_level, convolve, through_opus
from evaluation.speech import RATE, fetch_carried_speech, read_pcm
from evaluation.word_errors import word_errors
from proctoring.audio.networks import load_audio_models
from proctoring.audio.pcm import to_pcm
from proctoring.audio.transcription.moonshine.network import Moonshine, load_moonshine
from proctoring.audio.transcription.moonshine.stream import MoonshineStream
from proctoring.models.onnx_runtime import OnnxNetwork
from proctoring.models.store import ModelStore
from proctoring.observations import TranscriptObservation
from proctoring.settings import Settings

NORTH_AND_SOUTH = """There's iron they say in all our blood and a grain or two perhaps is good but
his he makes me harshly feel has got a little too much of steel anon
Margaret said Mister Hale as he returned from showing his guest downstairs I could not help watching
your face with some anxiety when Mister Thornton made his confession of having been a shop boy
You don't mean that you thought me so silly
I really liked that account of himself better than anything else he said
His statement of having been a shop boy was the thing I liked best of all
You who were always accusing people of being shoppy at Helstone
I don't think Mister Hale you have done quite right in introducing such a person to us without
telling us what he had been
I really was very much afraid of showing him how much shocked I was at some parts of what he said
His father dying in miserable circumstances
Why it might have been in the workhouse"""

TWO_CITIES = """It was the best of times, it was the worst of times, it was the age of wisdom, it was
the age of foolishness, it was the epoch of belief, it was the epoch of incredulity, it was the
season of Light, it was the season of Darkness, it was the spring of hope, it was the winter of
despair, we had everything before us, we had nothing before us, we were all going direct to Heaven,
we were all going direct the other way - in short, the period was so far like the present period,
that some of its noisiest authorities insisted on its being received, for good or for evil, in the
superlative degree of comparison only."""

GRID = (
    {"b": "bin", "l": "lay", "p": "place", "s": "set"},
    {"b": "blue", "g": "green", "r": "red", "w": "white"},
    {"a": "at", "b": "by", "i": "in", "w": "with"},
)
DIGITS = dict(
    zip(
        "z123456789",
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"],
        strict=True,
    )
)
LAST = {"a": "again", "n": "now", "p": "please", "s": "soon"}


def grid_sentence(name: str) -> str:
    """The sentence of a GRID file name: ``bbaf2n`` is bin blue at f two now."""
    words = [table[letter] for table, letter in zip(GRID, name, strict=False)]
    return " ".join([*words, name[3], DIGITS[name[4]], LAST[name[5]]])


def transcribed(
    moonshine: Moonshine, voice_activity: OnnxNetwork, audio: NDArray[np.int16]
) -> tuple[str, float]:
    """The words of the audio, transcribed as a stream, and CPU seconds."""
    stream = MoonshineStream(moonshine, voice_activity)
    began = clock.thread_time()
    found: list[TranscriptObservation] = []
    for start in range(0, len(audio), RATE // 5):
        found += stream.push(audio[start : start + RATE // 5])
    found += stream.close()
    return " ".join(t.text for t in found if t.final), clock.thread_time() - began


def print_word_errors(store: ModelStore, data: Path) -> None:
    """Print word error rate and cost of the local transcription, by text."""
    voice_activity = load_audio_models(store).voice_activity
    if voice_activity is None:
        sys.exit("the voice activity network is not available")
    moonshine = load_moonshine(store)
    pause = np.zeros(RATE, np.int16)
    read = [read_pcm(f) for f in sorted((data / "speech" / "librispeech" / "1688").glob("*.flac"))]
    novel = np.concatenate([piece for utterance in read for piece in (utterance, pause)])
    cities = read_pcm(fetch_carried_speech(store) / "two_cities.wav")
    sets = [
        ("North and South, one reader", NORTH_AND_SOUTH, novel),
        ("A Tale of Two Cities, one reader", TWO_CITIES, cities),
    ]
    for text, audio in ((NORTH_AND_SOUTH, novel), (TWO_CITIES, cities)):
        random = np.random.default_rng(5)
        room = Room(random)
        heard = at_level(convolve(audio / 32768, room.response_from(0.6)), -26.0)
        heard = through_opus(add_noise(heard, -41.0, random))
        sets.append(("  in a room, noise at 15 dB, Opus", text, to_pcm(heard)))
    sets += [
        ("GRID commands", grid_sentence(file.stem), read_pcm(file))
        for file in sorted((data / "video" / "grid").glob("??????.mpg"))
    ]
    totals: dict[str, list[float]] = {}
    for name, reference, audio in sets:
        text, cost = transcribed(moonshine, voice_activity, audio)
        wrong, said = word_errors(reference, text)
        row = totals.setdefault(name, [0.0, 0.0, 0.0, 0.0])
        for index, value in enumerate((wrong, said, cost, len(audio) / RATE)):
            row[index] += value
    for name, (errors, words, cost, seconds) in totals.items():
        print(
            f"{name:36} {errors / words:6.1%} word errors of {words:3.0f} words,"
            f" {cost / seconds * 1000:4.0f} ms CPU per second"
        )


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("data", type=Path)
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    print_word_errors(store, parser.parse_args().data)


if __name__ == "__main__":
    main()
