r"""Lip movement during speech: speaking faces with their own and shifted audio, and silent faces.

    uv run python -m evaluation.lips DATA

Every speaking face of GRID is analysed at 10 Hz with its own audio and with its audio shifted; its
audio is also combined with silent faces (the clips of glances, and sign language, where lips move without
a voice). A stretch is half a second of speech.
"""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluation.speech import read_pcm
from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.networks import AudioModels, load_audio_models
from proctoring.judgement.lips import (
    HISTORY,
    MAX_SKEW,
    LipsDuringSpeech,
    LipsState,
    lips_during,
    update_lips,
    weigh_by_lips,
)
from proctoring.judgement.reading import Reading
from proctoring.models.store import ModelStore
from proctoring.observations import AudioObservation, FrameObservation
from proctoring.settings import Settings
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.networks import VisionModels, load_vision_models
from proctoring.vision.video_file import read_pictures

LONGEST = 15.0
"""Seconds of a clip that are used at most."""


def frames_of(models: VisionModels, path: Path) -> list[FrameObservation]:
    """Observations of a clip, ten a second."""
    analyser = VisionAnalyser(models)
    seen = []
    for picture in read_pictures(path):
        if picture.time > LONGEST:
            break
        if analyser.is_due(picture.time):
            seen.append(analyser.analyse(picture.frame()).observation)
    return seen


def audio_observations(models: AudioModels, audio: NDArray[np.int16]) -> list[AudioObservation]:
    """Observations of a clip's audio."""
    analyser = AudioAnalyser(models)
    return [*analyser.push(audio), *analyser.flush()]


def together(
    frames: list[FrameObservation], audio: list[AudioObservation], shift: float, known: bool
) -> tuple[LipsDuringSpeech, list[float]]:
    """Lip movement during the speech, and how it changes a confidence of 0.84 at each stretch.

    Args:
        shift: seconds by which the audio is late.
        known: whether the candidate's lips moved with their voice before.
    """
    state = LipsState(own_moving=10.0 if known else 0.0)
    shifted = [replace(one, time=one.time + shift) for one in audio]
    reading = Reading("audio.multiple_speakers", True, 0.84, 1.0, "voice 2")
    confidences = []
    end = shifted[-1].time
    during = [frame for frame in frames if frame.time <= end + MAX_SKEW]
    both: list[FrameObservation | AudioObservation] = [*during, *shifted]
    for observation in sorted(both, key=lambda found: found.time):
        state = update_lips(state, observation)
        if isinstance(observation, AudioObservation):
            confidences.append(weigh_by_lips(state, observation, [reading])[0].confidence)
    return lips_during(state, end - HISTORY, end), confidences


def print_row(name: str, rows: list[tuple[LipsDuringSpeech, list[float]]]) -> None:
    """Print the share of stretches by lip movement, and how the confidence changed."""
    moving, still, unclear = (
        sum(getattr(judged, what) for judged, _ in rows) for what in ("moving", "still", "unclear")
    )
    total = max(moving + still + unclear, 1e-9)
    moved = [c for _, confidences in rows for c in confidences if c != 0.84]
    shift = (
        f"confidence 0.84 becomes {np.median(moved):.2f} ({min(moved):.2f} to {max(moved):.2f})"
        if moved
        else "confidence unchanged"
    )
    print(
        f"{name:44} {len(rows):3d} clips, {total:5.1f} s of speech:"
        f" moving {moving / total:4.0%}, still {still / total:4.0%}, unclear {unclear / total:4.0%};"
        f" {shift}",
        flush=True,
    )


def print_lips(store: ModelStore, settings: Settings, data: Path) -> None:
    """Print a row each for own voice, shifted voice and another person's voice."""
    seeing = load_vision_models(store, object_model=settings.object_model)
    seeing = replace(seeing, objects=None, liveness=None)
    hearing = replace(load_audio_models(store), speakers=None)
    grid = sorted((data / "video" / "grid").glob("*.mpg"))
    speaking = [frames_of(seeing, path) for path in grid]
    voices = [audio_observations(hearing, read_pcm(path)) for path in grid]
    pairs = list(zip(speaking, voices, strict=True))
    for shift in (0.0, 0.2, -0.2, 1.0):
        rows = [together(frames, audio, shift, known=True) for frames, audio in pairs]
        print_row(f"own voice, audio {shift:+.1f} s", rows)
    silent = {
        "another's voice, silent face (glances)": sorted(
            (data / "gaze" / "eyes_only").glob("*.mp4")
        ),
        "another's voice, silent face (looking down)": [data / "gaze" / "down" / "demo.mp4"],
        "another's voice, sign language": sorted((data / "video" / "intel").glob("*.mkv")),
    }
    for name, paths in silent.items():
        faces = [frames_of(seeing, path) for path in paths]
        rows = [
            together(frames, voices[(n + k) % len(voices)], 0.0, known=True)
            for n, frames in enumerate(faces)
            for k in range(3)
        ]
        print_row(name, rows)
    rows = [together(speaking[n], voices[n], 0.0, known=False) for n in range(len(speaking))]
    print_row("own voice, lips never seen with it before", rows)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    print_lips(store, settings, parser.parse_args().data)


if __name__ == "__main__":
    main()
