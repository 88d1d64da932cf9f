"""Pictures of several sessions in one call of a network: whether that is cheaper than a call for each.

    uv run python -m benchmarks.batches [--sizes 2 4 8] [--rounds 20]

CPU milliseconds per picture of one thread, for the networks that most of a session's time goes to. The sizes take turns, so that the
load of other programs disturbs all of them alike. Difference: the largest of any output from that of single calls, on
random input, relative to the largest value.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import numpy as np
import openvino as ov

from benchmarks.served import processor
from proctoring.models import dlib_resnet, ssd_graph
from proctoring.models.network import Network
from proctoring.models.runtime import compile_network, keep_outputs, read_model
from proctoring.models.store import ModelStore
from proctoring.settings import read_settings
from proctoring.vision.proposals import COCO_91

Read = Callable[[], ov.Model]
PICTURES = 8
"""Per size and round: all sizes see the same ones."""


def readers(store: ModelStore) -> dict[str, Read]:
    """What reads each network, uncompiled."""
    two = ("Identity", "Identity_1")
    found: dict[str, Read] = {}

    def keep(_: Any, read: Read, *, part: str = "", **__: object) -> Any:
        name = f"SSD, part {len([one for one in found if 'SSD' in one]) + 1}"
        found[name if part else "face embedding"] = read
        shapes = [tuple(port.shape) for port in read().outputs]
        return SimpleNamespace(output_shapes=shapes)

    task, detector = store.fetch("face_landmarker"), store.fetch("face_detection_full_range")
    found["landmarks"] = partial(_of_task, task, "face_landmarks_detector.tflite", two)
    found["face detection"] = lambda: keep_outputs(read_model(detector), two, detector)
    for name in ("minifasnet_v2", "minifas_v2se"):
        found[name] = partial(read_model, store.fetch(name))
    with (
        patch.object(dlib_resnet, "load_compiled", keep),
        patch.object(ssd_graph, "load_compiled", keep),
    ):
        dlib_resnet.load_dlib_embedding(store.fetch("dlib_face_embedding"))
        ssd_graph.load_ssd_parts(store.fetch("ssd_mobilenet_v2"), COCO_91)
    return found


def _of_task(task: Any, member: str, outputs: tuple[str, ...]) -> ov.Model:
    return keep_outputs(read_model(task, member=member), outputs, task)


def batched(read: Read, size: int) -> Network | None:
    """The network for this many pictures; ``None``: it cannot be made so."""
    model = read()
    try:
        model.reshape({port: [size, *list(port.shape)[1:]] for port in model.inputs})
        return compile_network(model, copies=1)
    except RuntimeError:
        return None


def compare(networks: dict[int, Network], rounds: int) -> tuple[dict[int, float], float]:
    """Median CPU milliseconds per picture by batch size, and the largest difference."""
    shape = (PICTURES, *networks[1].input_shapes[0][1:])
    pictures = np.random.default_rng(0).random(shape, np.float32)
    times: dict[int, list[float]] = {size: [] for size in networks}
    results: dict[int, list[np.ndarray]] = {}
    for turn in range(rounds + 1):
        for size, network in networks.items():
            batches = [pictures[at : at + size].copy() for at in range(0, PICTURES, size)]
            began = time.thread_time()
            found = [network(batch) for batch in batches]
            if turn:  # the first one warms up
                times[size].append((time.thread_time() - began) * 1000 / PICTURES)
            results[size] = [
                # One detector writes the anchors of all pictures one after another.
                np.reshape(np.concatenate(parts, axis=None), (PICTURES, *expected[1:]))
                for parts, expected in zip(
                    zip(*found, strict=True), networks[1].output_shapes, strict=True
                )
            ]
    apart = max(
        float(np.abs(one - other).max() / np.abs(one).max())
        for size in networks
        for one, other in zip(results[1], results[size], strict=True)
    )
    return {size: statistics.median(values) for size, values in times.items()}, apart


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=[2, 4, 8], choices=[2, 4, 8])
    parser.add_argument("--rounds", type=int, default=20)
    chosen = parser.parse_args()
    settings = read_settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    print(f"{processor()}, load average {os.getloadavg()[0]:.1f}")
    print("| network | 1 | " + " | ".join(map(str, chosen.sizes)) + " | difference |")
    print("| --- " * (len(chosen.sizes) + 3) + "|")
    for name, read in readers(store).items():
        made = {size: batched(read, size) for size in (1, *chosen.sizes)}
        networks = {size: network for size, network in made.items() if network is not None}
        times, apart = compare(networks, chosen.rounds)
        cells = [f"{times[size]:.2f}" if size in times else "-" for size in made]
        print(f"| {name} | " + " | ".join(cells) + f" | {apart:.0e} |", flush=True)


if __name__ == "__main__":
    main()
