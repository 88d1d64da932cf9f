r"""All figures of audio, by one command.

    uv run python -m evaluation.audio DATA [--split development|held-out] [--draws 2]
        [--parts one two short meetings given lips words long] [--hours 2] [--within 7200]

``one`` and ``long``: false alarms per hour of one-speaker sessions; ``two``: share found and delay of a
second speaker, by condition (clean, rooms, moving, quiet) and for similar voices; ``short``: the same for
interjections; ``meetings``: real conversation, and overlap; ``given``: a speaker reference given in
advance; ``lips``: lip movement during speech; ``words``: word errors of the local transcription.
``long`` is not a default part. Each part is a module of this folder and can be run alone, with more
options.
"""

from __future__ import annotations

import argparse
import sys
import time as clock
from pathlib import Path

from evaluation import given_voice, speakers
from evaluation.lips import print_lips
from evaluation.speech import fetch_carried_speech
from evaluation.transcription import print_word_errors
from proctoring.audio.networks import load_audio_models
from proctoring.models.store import ModelStore
from proctoring.settings import Settings

GIVEN, LIPS, WORDS = "given", "lips", "words"
PARTS = (*speakers.PARTS, GIVEN, LIPS, WORDS)


def main() -> None:
    """Print every table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("--split", choices=("development", "held-out"), default=None)
    parser.add_argument("--draws", type=int, default=2, help="sessions per person and condition")
    parser.add_argument("--parts", nargs="+", default=PARTS, choices=(*PARTS, speakers.LONG))
    parser.add_argument("--hours", type=float, default=2.0, help="of audio, in the part 'long'")
    parser.add_argument("--within", type=float, default=7200.0, help="seconds for the part 'long'")
    arguments = parser.parse_args()
    data, split, draws, parts = (
        arguments.data,
        arguments.split,
        arguments.draws,
        set(arguments.parts),
    )
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    models = load_audio_models(store)
    if models.speakers is None:
        sys.exit("\n".join(c.reason for c in models.capabilities if not c.available))
    carried = fetch_carried_speech(store)
    voices = speakers.Voices(data, carried)
    started = clock.monotonic()
    if speakers.LONG in parts:
        until = started + arguments.within
        speakers.print_long(models, voices, arguments.hours * 3600, until)
    speakers.print_splits(models, voices, data, carried, parts=parts, split=split, draws=draws)
    if GIVEN in parts:
        print("\nspeaker reference given in advance")
        every = set(given_voice.PARTS)
        given_voice.print_given(models, voices, data, parts=every, split=split, draws=draws)
    if LIPS in parts:
        print("\nlip movement during speech")
        print_lips(store, settings, data)
    if WORDS in parts:
        print("\nlocal transcription")
        print_word_errors(store, data)
    print(f"\n{clock.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
