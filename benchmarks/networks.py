"""Each network of vision in the runtimes that can run it: CPU per call, hand-overs between threads, difference of results.

    uv run [--with ai-edge-litert] python -m benchmarks.networks [--calls 200]

``two streams``: OpenVINO as most programs use it, which hands each call to a thread of its own. ONNX Runtime runs what is
ONNX, LiteRT (if it is installed) what is tflite. The runtimes take turns, so that the load of other programs disturbs all of
them alike. Difference: the largest of any output from that of ours, on random input, relative to the largest value.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import time
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import openvino as ov

from benchmarks.served import processor
from proctoring.models.dlib_resnet import load_dlib_embedding
from proctoring.models.onnx_runtime import load_onnx_network
from proctoring.models.runtime import keep_outputs, load_network, read_model
from proctoring.models.ssd_graph import load_ssd_parts
from proctoring.models.store import ModelStore
from proctoring.settings import read_settings
from proctoring.vision.proposals import COCO_91

Run = Callable[..., Sequence[np.ndarray]]
TURN = 10
"""Calls of one runtime before it is the next one's turn."""


@dataclass
class Timed:
    """One runtime's calls of one network."""

    run: Run
    process: list[float] = field(default_factory=list)
    """Milliseconds of CPU, of the whole process."""
    own: float = 0.0
    """Share of it that the calling thread used."""
    switches: float = 0.0
    """Voluntary context switches per call."""


def two_streams(read: Callable[[], ov.Model]) -> Run:
    compiled = ov.Core().compile_model(
        read(),
        "CPU",
        {"INFERENCE_PRECISION_HINT": "f32", "NUM_STREAMS": 2, "INFERENCE_NUM_THREADS": 2},
    )
    request = compiled.create_infer_request()

    def run(*inputs: np.ndarray) -> list[np.ndarray]:
        results = request.infer(list(inputs), share_inputs=True)
        return [results[place] for place in range(len(compiled.outputs))]

    return run


def onnx(path: Path) -> Run:
    network = load_onnx_network(path)

    def run(*inputs: np.ndarray) -> Sequence[np.ndarray]:
        return network.run_named(dict(zip(network.input_names, inputs, strict=True)))

    return run


def litert(content: bytes) -> Run | None:
    """``None``: LiteRT is not installed."""
    try:
        from ai_edge_litert.interpreter import Interpreter  # type: ignore[import-not-found, unused-ignore]
    except ImportError:
        return None
    interpreter: Any = Interpreter(model_content=content, num_threads=1)
    interpreter.allocate_tensors()
    ports = interpreter.get_input_details(), interpreter.get_output_details()

    def run(*inputs: np.ndarray) -> list[np.ndarray]:
        for port, values in zip(ports[0], inputs, strict=True):
            interpreter.set_tensor(port["index"], values)
        interpreter.invoke()
        return [interpreter.get_tensor(port["index"]) for port in ports[1]]

    return run


def measure(runtimes: dict[str, Timed], inputs: Sequence[np.ndarray], calls: int) -> None:
    for timed in runtimes.values():
        for _ in range(5):
            timed.run(*inputs)
    own = dict.fromkeys(runtimes, 0.0)
    switches = dict.fromkeys(runtimes, 0)
    for _ in range(calls // TURN):
        for name, timed in runtimes.items():
            before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
            thread, process = time.thread_time(), time.process_time()
            for _ in range(TURN):
                timed.run(*inputs)
            timed.process.append((time.process_time() - process) * 1000 / TURN)
            own[name] += (time.thread_time() - thread) * 1000 / TURN
            switches[name] += resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before
    for name, timed in runtimes.items():
        timed.own = own[name] / sum(timed.process)
        timed.switches = switches[name] / (calls // TURN * TURN)


def difference(ours: Sequence[np.ndarray], others: Sequence[np.ndarray]) -> float:
    """Of each output from the nearest one of its size: runtimes order them differently, and we drop some."""
    return max(
        min(
            float(np.abs(np.ravel(values) - np.ravel(other)).max() / np.abs(values).max())
            for other in others
            if np.size(other) == np.size(values)
        )
        for values in ours
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--calls", type=int, default=200)
    chosen = parser.parse_args()
    settings = read_settings()
    store = ModelStore(settings.models_folder, settings.models_mirror)
    print(f"{processor()}, load average {os.getloadavg()[0]:.1f}")
    print("| network | runtime | CPU ms | on the calling thread | switches | difference |")
    print("| --- | --- | --- | --- | --- | --- |")
    for name, runtimes, shapes in networks(store):
        inputs = [np.random.default_rng(0).random(shape, np.float32) for shape in shapes]
        timed = {runtime: Timed(run) for runtime, run in runtimes.items() if run is not None}
        measure(timed, inputs, chosen.calls)
        ours = runtimes["ours"]
        assert ours is not None
        expected = ours(*inputs)
        for runtime, one in timed.items():
            apart = difference(expected, one.run(*inputs))
            print(
                f"| {name} | {runtime} | {statistics.median(one.process):.2f} | {one.own:.0%} "
                f"| {one.switches:.1f} | {apart:.0e} |",
                flush=True,
            )


def networks(
    store: ModelStore,
) -> list[tuple[str, dict[str, Run | None], tuple[tuple[int, ...], ...]]]:
    """Name, the runtimes that can run it, and the shapes of its inputs."""
    found: list[tuple[str, dict[str, Run | None], tuple[tuple[int, ...], ...]]] = []
    detector, task = store.fetch("face_detection_full_range"), store.fetch("face_landmarker")
    two = ("Identity", "Identity_1")
    with zipfile.ZipFile(task) as archive:
        landmarks = archive.read("face_landmarks_detector.tflite")
        blendshapes = archive.read("face_blendshapes.tflite")
    for name, path, member, outputs, content in (
        ("face detection", detector, None, two, detector.read_bytes()),
        ("landmarks", task, "face_landmarks_detector.tflite", two, landmarks),
        ("blendshapes", task, "face_blendshapes.tflite", None, blendshapes),
    ):
        network = load_network(path, member=member, outputs=outputs)
        read = partial(_read, path, member, outputs)
        found.append(
            (
                name,
                {"ours": network, "two streams": two_streams(read), "LiteRT": litert(content)},
                network.input_shapes,
            )
        )
    for name in ("minifasnet_v2", "minifasnet_v1se", "minifas_v2se"):
        path = store.fetch(name)
        network = load_network(path)
        streams = two_streams(partial(read_model, path))
        found.append(
            (
                name,
                {"ours": network, "two streams": streams, "ONNX Runtime": onnx(path)},
                network.input_shapes,
            )
        )
    identity = load_dlib_embedding(store.fetch("dlib_face_embedding"))
    found.append(("face embedding", {"ours": identity}, identity.input_shapes))
    for number, part in enumerate(load_ssd_parts(store.fetch("ssd_mobilenet_v2"), COCO_91), 1):
        found.append((f"SSD, part {number}", {"ours": part}, part.input_shapes))
    return found


def _read(path: Path, member: str | None, outputs: tuple[str, ...] | None) -> ov.Model:
    model = read_model(path, member=member)
    return model if outputs is None else keep_outputs(model, outputs, path)


if __name__ == "__main__":
    main()
