"""Running the peer: a process in an environment of its own, with none of this project's packages."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from benchmarks.load.clients import Candidate
from benchmarks.load.figures import Peer
from benchmarks.served import ROOT, pinned
from proctoring.models.store import ModelStore
from proctoring.settings import Settings

COMMAND = "uv run --quiet --isolated --only-group peer python -m benchmarks.peer"


def measure_peer(
    candidates: Sequence[Candidate],
    yolo: Path,
    cores: Sequence[int],
    faces: int = 2,
    paced: bool = True,
) -> Peer:
    """What the plain stack costs with these candidates: the mean over their recordings and tracks.

    Its face landmarker and voice activity are the published files that the product uses too.

    Args:
        yolo: folder of YOLO11n, exported for OpenVINO.
        cores: to which it is pinned; none: all.
        faces: at most so many are looked for. Two: a second person is what a proctor must see.
        paced: whether frames come ten a second, as in the server, or one after the other.

    Raises:
        ModelUnavailableError: one of them is not there.
    """
    settings = Settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    told = {
        "landmarker": str(store.fetch("face_landmarker")),
        "voice": str(store.fetch("silero_vad")),
        "yolo": str(yolo.resolve()),
        "faces": faces,
        "paced": paced,
        # As often as candidates show it: a mix is mostly still.
        "streams": [one.stream for one in candidates],
        "tracks": sorted({one.track for one in candidates if one.track}),
    }
    with pinned(cores):
        done = subprocess.run(
            COMMAND.split(),
            cwd=ROOT,
            input=json.dumps(told),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            check=True,
        )
    return Peer(**json.loads(done.stdout.splitlines()[-1]))
