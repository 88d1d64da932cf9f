"""Writes the activation ranges with which the speaker embedding runs in 8 bit.

    uv run python -m evaluation.activation_ranges DATA [--to src/proctoring/audio/speaker_embedding_ranges.json]

Ranges are the least and the greatest value of every tensor, over speech of the development voices of
``evaluation/speakers.py`` (``DATA/speech/librispeech``), clean and degraded, in pieces of one to three seconds. The held-out
voices are not used.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod
from onnxruntime.quantization.calibrate import create_calibrator, save_tensors_data

from evaluation.speakers import CONDITIONS, DEVELOPMENT, Voices, one_speaker, seeded
from evaluation.speech import fetch_carried_speech
from proctoring.audio.filterbank import Features, filterbank
from proctoring.audio.networks import EMBEDDING, EMBEDDING_RANGES
from proctoring.audio.pcm import to_waveform
from proctoring.models.eight_bit import QUANTISED, write_folded
from proctoring.models.store import ModelStore
from proctoring.settings import Settings

PIECES = 8
"""Per voice and condition."""
SHORTEST, LONGEST = 100, 300
"""Frames of a piece: one to three seconds."""


class Pieces(CalibrationDataReader):  # type: ignore[misc]
    """Inputs of the network, one after another."""

    def __init__(self, pieces: Iterator[Features]) -> None:
        self._pieces = pieces

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next input."""
        piece = next(self._pieces, None)
        if piece is None:
            return None
        centred = piece - piece.mean(axis=0)
        return {"fbank": centred[None], "weights": np.ones((1, len(piece)), np.float32)}


def pieces(voices: Voices) -> Iterator[Features]:
    """Features of random pieces of sessions of one speaker."""
    for person in DEVELOPMENT:
        for condition in CONDITIONS:
            audio = one_speaker(voices, person, condition, draw=0).audio
            features = filterbank(to_waveform(audio))
            random = seeded("ranges", person, condition)
            for _ in range(PIECES):
                length = int(random.integers(SHORTEST, LONGEST + 1))
                start = int(random.integers(len(features) - length))
                yield features[start : start + length]


def one_line_each(path: Path) -> int:
    """Write the file again with a line per tensor, sorted, so that a change can be read. Returns their number."""
    found = json.loads(path.read_text())
    data = found.pop("data")
    lines = [f"  {json.dumps(name)}: {json.dumps(data[name])}" for name in sorted(data)]
    head = json.dumps(found)[1:-1]
    path.write_text("{" + head + ', "data": {\n' + ",\n".join(lines) + "\n}}\n")
    return len(lines)


def main() -> None:
    """Write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("data", type=Path)
    parser.add_argument("--to", type=Path, default=EMBEDDING_RANGES)
    arguments = parser.parse_args()
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    voices = Voices(arguments.data, fetch_carried_speech(store))
    with tempfile.TemporaryDirectory(prefix="proctoring-") as folder:
        network = Path(folder) / "embedding.onnx"
        write_folded(store.fetch(EMBEDDING), network)
        calibrator = create_calibrator(
            network,
            list(QUANTISED),
            augmented_model_path=str(Path(folder) / "augmented.onnx"),
            calibrate_method=CalibrationMethod.MinMax,
        )
        calibrator.collect_data(Pieces(pieces(voices)))
        save_tensors_data(calibrator.compute_data(), arguments.to)
    count = one_line_each(arguments.to)
    print(f"{count} ranges in {arguments.to}")


if __name__ == "__main__":
    main()
