"""False matches and false non-matches of faces: ``python -m evaluation.identity DATA``.

Compared are single embeddings on ``identity/nuaa_pairs.json`` (one webcam, two days) and on
``identity/portraits`` as reference photos, and means of three embeddings, as in a session, over all
pairs of recordings of ``spoof/nuaa`` (bona fide only). The limit is the shipped policy's distance.
"""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable
from itertools import combinations
from pathlib import Path

import numpy as np

from evaluation.sessions import evaluation_models
from proctoring.errors import BadFrameError, BadPhotoError
from proctoring.judgement.policy import load_policy
from proctoring.vision.decode import decode_jpeg
from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.frame import Frame
from proctoring.vision.identity.embedding import Embedding, distance, mean_embedding
from proctoring.vision.identity.quality import rejection_reason
from proctoring.vision.identity.reference_photo import embed_photo
from proctoring.vision.networks import VisionModels

_AVERAGED = 3


def main() -> None:
    """Print the rows of ``docs/accuracy.md``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path)
    data = parser.parse_args().data
    models = evaluation_models(data, object_model="none")
    limit = load_policy("exam").identity.max_distance
    pairs = json.loads((data / "identity/nuaa_pairs.json").read_text())
    folder = data / "spoof/nuaa"
    names = {name for kind in ("same", "different") for pair in pairs[kind] for name in pair}
    looks = {name: fit_look(models, folder / name) for name in sorted(names)}
    seen = {name: found for name, found in looks.items() if found is not None}
    print(f"nuaa: {len(seen)} of {len(names)} images usable")
    same, other = (
        [distance(seen[a], seen[b]) for a, b in pairs[kind] if a in seen and b in seen]
        for kind in ("same", "different")
    )
    _report("nuaa pairs, single embeddings", same, other, limit)
    days: dict[tuple[str, str], list[Embedding]] = defaultdict(list)
    for name, embedding in seen.items():
        # ClientRaw/PERSON/PERSON_x_x_DAY_n.jpg
        parts = Path(name).stem.split("_")
        days[(parts[0], parts[3])].append(embedding)
    means = {
        day: mean_embedding(tuple(found[:_AVERAGED]))
        for day, found in days.items()
        if len(found) >= _AVERAGED
    }
    same, other = [], []
    for (one, a), (two, b) in combinations(means.items(), 2):
        (same if one[0] == two[0] else other).append(distance(a, b))
    _report(f"nuaa days, means of {_AVERAGED} embeddings", same, other, limit)
    _portraits(models, data / "identity/portraits", limit)


def fit_look(models: VisionModels, path: Path) -> Embedding | None:
    """The embedding of the only face in an image; ``None`` if the quality check rejects it."""
    assert models.faces is not None
    assert models.identity is not None
    pixels = decode_jpeg(path.read_bytes())
    faces = FaceTracker(models.faces.detector, models.faces.landmarker).update(Frame(0, pixels))
    if len(faces) != 1 or rejection_reason(pixels, faces[0].mesh):
        return None
    return models.identity.embed(pixels, faces[0].mesh)


def _portraits(models: VisionModels, folder: Path, limit: float) -> None:
    pairs = json.loads((folder / "manifest.json").read_text())["pairs"]
    photos: dict[str, Embedding] = {}
    for name in sorted({name for pair in pairs for name in pair[:2]}):
        try:
            photos[name] = embed_photo(models, (folder / name).read_bytes()).whole
        except (BadPhotoError, BadFrameError, OSError) as error:
            print(f"  refused: {name}: {error}")
    same, other = (
        [
            distance(photos[a], photos[b])
            for a, b, label in pairs
            if label == wanted and a in photos and b in photos
        ]
        for wanted in ("Yes", "No")
    )
    _report("portraits, photo to photo", same, other, limit)


def _report(what: str, same: Iterable[float], other: Iterable[float], limit: float) -> None:
    one, two = np.array(list(same)), np.array(list(other))
    if not one.size or not two.size:
        print(f"{what}: nothing to compare")
        return
    grid = np.linspace(0.2, 0.9, 141)
    gaps = [abs(float((one > g).mean()) - float((two <= g).mean())) for g in grid]
    at = float(grid[int(np.argmin(gaps))])
    print(
        f"{what}: false non-matches {int((one >= limit).sum())} of {one.size} "
        f"({(one >= limit).mean():.3f}), false matches {int((two < limit).sum())} of {two.size} "
        f"({(two < limit).mean():.3f}) at {limit}; equal error rate {(one > at).mean():.3f} at {at:.3f};"
        f" medians {np.median(one):.2f} and {np.median(two):.2f}",
        flush=True,
    )


if __name__ == "__main__":
    main()
