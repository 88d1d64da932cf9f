"""Collect the training images of the liveness network: ``uv run python training/people.py DATA``.

The licences of all sources allow training and distribution of the result: GRID (CC BY 4.0),
Intel's sample videos (CC BY 4.0), the walletphone frames (CC BY 4.0), the eyes_only recordings
(MIT) and NASA's astronaut (public domain). NUAA and the samples of MiniFASNet are test data and not
read here. COCO is not used: its images carry no licence of their own.

The output is an intermediate file for ``liveness_student.py``. It holds people's faces: never commit it.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import skimage.data
from pictures import Person, save

from proctoring.models.store import ModelStore
from proctoring.settings import Settings
from proctoring.vision.face_tracking import FaceTracker
from proctoring.vision.frame import Frame
from proctoring.vision.networks import load_vision_models
from proctoring.vision.video_file import read_frames

SMALLEST = 40
"""Least width of a face in pixels."""


def gather(data: Path, store: ModelStore) -> list[Person]:
    """Every usable image of the sources with its landmarks, and rooms without people."""
    models = load_vision_models(store, object_model="none")
    assert models.faces is not None, models.capabilities
    found: list[Person] = []

    def add(name: str, frames: Iterator[Frame], every: int) -> None:
        tracker = FaceTracker(models.faces.detector, models.faces.landmarker)
        for n, frame in enumerate(frames):
            if n % every == 0:
                for face in (tracker.update(frame) or ())[:1]:
                    mesh = face.mesh[:, :2].astype(np.float32)
                    if np.ptp(mesh[:, 0]) >= SMALLEST:
                        found.append(Person(name, frame.pixels, mesh))

    for path in sorted((data / "video/grid").glob("*.mpg")):
        add(f"grid/{path.stem}", read_frames(path), 6)
    for path in sorted((data / "video/intel").glob("*.mkv")):
        add(f"intel/{path.stem}", read_frames(path), 9)
    for path in sorted((data / "video/intel").glob("head-pose*.gif")):
        add(f"heads/{path.stem}", read_frames(path), 3)
    for path in sorted((data / "gaze/eyes_only").glob("*.mp4")):
        add(f"eyes/{path.stem}", read_frames(path), 25)
    folder = data / "phone/walletphone"
    items = json.loads((folder / "manifest.json").read_text())["items"]
    for name in sorted(n for n, item in items.items() if item.get("first_of_frame"))[::3]:
        picture = cv2.cvtColor(cv2.imread(str(folder / name)), cv2.COLOR_BGR2RGB)
        # The images of this set are stretched to squares; restore 4:3.
        add(f"walletphone/{name}", iter([Frame(0.0, cv2.resize(picture, (640, 480)))]), 1)
    add("astronaut", iter([Frame(0.0, skimage.data.astronaut())]), 1)
    nobody = np.empty((0, 2), np.float32)
    rooms = [skimage.data.coffee(), skimage.data.chelsea(), skimage.data.rocket()]
    bottles = read_frames(data / "video/intel/bottle-detection.mp4")
    rooms += [frame.pixels for n, frame in enumerate(bottles) if n in (0, 200, 600)]
    return found + [Person("room", room, nobody) for room in rooms]


def main() -> None:
    """Collect the images and write the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="the folder of labelled recordings")
    parser.add_argument("--out", type=Path, default=Path("people.npz"))
    chosen = parser.parse_args()
    settings = Settings()
    mirror = settings.models_mirror or chosen.data.parent / "models"
    store = ModelStore(settings.models_folder, mirror if mirror.is_dir() else None)
    people = gather(chosen.data, store)
    save(people, chosen.out)
    groups: dict[str, int] = {}
    for person in people:
        group = person.name.split("/")[0]
        groups[group] = groups.get(group, 0) + 1
    print(f"{chosen.out}: {chosen.out.stat().st_size / 1e6:.1f} MB, pictures of {groups}")


if __name__ == "__main__":
    main()
