# /// script
# requires-python = ">=3.11"
# dependencies = ["proctoring-ai[server]", "jax>=0.4", "optax>=0.2", "onnx>=1.16", "scikit-image>=0.25"]
# [tool.uv.sources]
# proctoring-ai = { path = "..", editable = true }
# ///
"""Train a small liveness network of our own: ``uv run --script training/liveness_student.py DATA``.

The living: GRID (CC BY 4.0), Intel's sample videos (CC BY 4.0), the walletphone frames (CC BY 4.0)
and NASA's astronaut (public domain), filmed again by ``simulated_attacks.filmed``, partly before
other backgrounds. The attacks: the same people printed or shown on a screen by
``simulated_attacks``. Teachers: MiniFASNet V2 and V1SE, whose judgement of every scene is half of
the target, the truth the other half. NUAA and the samples are never seen here: they are the test.
COCO is left out: the pictures at hand carry no licence of their own.

JAX rather than PyTorch: its processor-only wheel comes from the ordinary registry. See
``training/MODEL_CARD.md`` for what came out of it.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import jax
import jax.numpy as jnp
import numpy as np
import onnx
import optax
import skimage.data
from onnx import TensorProto, helper, numpy_helper
from simulated_attacks import (
    cut_around_face,
    filmed,
    invented_background,
    keyed_out,
    on_screen,
    place,
    printed,
)

from proctoring.models.runtime import load_network
from proctoring.models.store import ModelStore
from proctoring.observations import Box
from proctoring.settings import Settings
from proctoring.vision.analyser import load_vision_models
from proctoring.vision.following import FaceFollower
from proctoring.vision.frame import Frame
from proctoring.vision.liveness.crops import context_crop
from proctoring.vision.liveness.judges import PASSIVE
from proctoring.vision.recording import read_frames

SCALES = (1.4, 2.7)
"""The student's two crops: the face, and the face with its surroundings."""
HELD_OUT = ("swiz3n", "lwbsza", "sbia1a", "hungry", "want")
"""Recordings of four people that are never trained on: what training is watched by."""
SHARES = {"grid": 0.55, "intel": 0.25, "walletphone": 0.15, "astronaut": 0.05}
STEM, TRUNK = ((16, 2), (32, 2)), ((64, 2), (96, 2), (96, 1))
"""Width and stride of each 3 x 3 convolution: per crop, then over both."""
EPSILON = 1e-3


@dataclass(frozen=True)
class Person:
    """One picture of one person: (height, width, 3) RGB, landmarks (n, 2)."""

    name: str
    picture: np.ndarray
    points: np.ndarray


@dataclass(frozen=True)
class Scenes:
    """What is trained on, scene by scene."""

    crops: np.ndarray
    """(n, 2, 80, 80, 3) uint8"""
    teachers: np.ndarray
    """(n, 2, 3) logits"""
    living: np.ndarray
    held_out: np.ndarray


def people(data: Path, store: ModelStore) -> list[Person]:
    """Every usable picture of the sources, with its landmarks."""
    models = load_vision_models(store, object_model="none")
    assert models.faces is not None, models.capabilities
    found: list[Person] = []

    def add(name: str, frames: Iterator[Frame], every: int) -> None:
        follower = FaceFollower(models.faces.detector, models.faces.landmarker)
        for n, frame in enumerate(frames):
            if n % every == 0 and (faces := follower.look(frame)):
                mesh = faces[0].mesh[:, :2].astype(np.float64)
                found.append(Person(name, frame.pixels, mesh))

    for path in sorted((data / "video/grid").glob("*.mpg")):
        add(f"grid/{path.stem}", read_frames(path), 8)
    for path in sorted((data / "video/intel").glob("*.mkv")):
        add(f"intel/{path.stem}", read_frames(path), 9)
    folder = data / "phone/walletphone"
    items = json.loads((folder / "manifest.json").read_text())["items"]
    for name in sorted(n for n, item in items.items() if item.get("first_of_frame"))[::3]:
        picture = cv2.cvtColor(cv2.imread(str(folder / name)), cv2.COLOR_BGR2RGB)
        # The set's pictures are stretched to squares.
        add(f"walletphone/{name}", iter([Frame(0.0, cv2.resize(picture, (640, 480)))]), 1)
    add("astronaut", iter([Frame(0.0, skimage.data.astronaut())]), 1)
    return found


def backgrounds(data: Path) -> list[np.ndarray]:
    """Rooms without the people."""
    found = [skimage.data.coffee(), skimage.data.chelsea(), skimage.data.rocket()]
    bottles = read_frames(data / "video/intel/bottle-detection.mp4")
    found += [frame.pixels for n, frame in enumerate(bottles) if n in (0, 200, 600)]
    return found


def scene(
    person: Person, rooms: list[np.ndarray], rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, bool]:
    """A picture of a person, living or attacked: the picture, the points, whether living."""
    picture, points = person.picture, person.points
    if rng.random() < 0.5:
        picture = np.ascontiguousarray(picture[:, ::-1])
        points = np.column_stack([picture.shape[1] - 1 - points[:, 0], points[:, 1]])
    if person.name.startswith("grid") and rng.random() < 0.7:
        picture = keyed_out(picture, invented_background(rng, *picture.shape[:2], rooms))
    width = float(np.ptp(points[:, 0]))
    kind = rng.choice(["living", "print", "screen"], p=[0.45, 0.35, 0.2])
    if kind == "living":
        factor = rng.uniform(max(0.7, 80 / width) if width > 80 else 1.0, max(1.3, 170 / width))
        picture, points = _scaled(picture, points, factor)
        return filmed(picture, rng), points, True
    picture, points = _scaled(picture, points, min(2.5, rng.uniform(90, 240) / width))
    picture, points = cut_around_face(picture, points, rng)
    picture, points = (printed if kind == "print" else on_screen)(picture, points, rng)
    room = invented_background(rng, 480, 640, rooms)
    picture, points = place(picture, points, rng, room, bend=kind == "print")
    return filmed(picture, rng), points, False


def _scaled(
    picture: np.ndarray, points: np.ndarray, factor: float
) -> tuple[np.ndarray, np.ndarray]:
    way = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return cv2.resize(picture, None, fx=factor, fy=factor, interpolation=way), points * factor


def make_scenes(data: Path, store: ModelStore, count: int, seed: int) -> Scenes:
    """Scenes with the teachers' judgement."""
    rng = np.random.default_rng(seed)
    teachers = [(load_network(store.fetch(name)), scale) for name, scale in PASSIVE]
    rooms = backgrounds(data)
    groups: dict[str, list[Person]] = {}
    for person in people(data, store):
        groups.setdefault(person.name.split("/")[0], []).append(person)
    rows: list[tuple[Any, ...]] = []
    while len(rows) < count:
        group = groups[rng.choice(list(SHARES), p=list(SHARES.values()))]
        person = group[rng.integers(len(group))]
        picture, points, living = scene(person, rooms, rng)
        height, width = picture.shape[:2]
        hull = np.concatenate([points.min(axis=0), points.max(axis=0)])
        hull = hull + rng.normal(0, 0.02, 4) * (hull[2] - hull[0])
        hull = np.clip(hull, 0, [width - 2, height - 2, width - 1, height - 1])
        if hull[2] - hull[0] < 30 or hull[3] - hull[1] < 30:
            continue
        box = Box(*map(float, hull))
        logits = []
        for network, scale in teachers:
            planes = context_crop(picture, box, scale)[..., ::-1].transpose(2, 0, 1)
            logits.append(network(np.ascontiguousarray(planes, np.float32)[None])[0][0])
        crops = np.stack([context_crop(picture, box, scale) for scale in SCALES])
        rows.append((crops, np.stack(logits), living, any(n in person.name for n in HELD_OUT)))
        if len(rows) % 500 == 0:
            print(f"{len(rows)} scenes", flush=True)
    return Scenes(*(np.array(column) for column in zip(*rows, strict=True)))


def layers() -> list[tuple[str, int, int, int]]:
    """Name, width in, width out and stride of every convolution, in order."""
    found, width = [], 3
    for crop in range(len(SCALES)):
        width = 3
        for n, (out, stride) in enumerate(STEM):
            found.append((f"stem{crop}.{n}", width, out, stride))
            width = out
    width *= len(SCALES)
    for n, (out, stride) in enumerate(TRUNK):
        found.append((f"trunk.{n}", width, out, stride))
        width = out
    return found


def initial(seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Weights, and the running statistics of the normalisations."""
    rng = np.random.default_rng(seed)
    weights: dict[str, Any] = {}
    statistics: dict[str, Any] = {}
    for name, width, out, _ in layers():
        kernel = rng.normal(0, np.sqrt(2 / (9 * width)), (3, 3, width, out))
        weights[name] = {
            "w": jnp.asarray(kernel, jnp.float32),
            "g": jnp.ones(out),
            "b": jnp.zeros(out),
        }
        statistics[name] = {"m": jnp.zeros(out), "v": jnp.ones(out)}
    last = TRUNK[-1][0]
    head = rng.normal(0, 0.05, (last, 7))
    weights["head"] = {"w": jnp.asarray(head, jnp.float32), "b": jnp.zeros(7)}
    return weights, statistics


def forward(
    weights: dict[str, Any], statistics: dict[str, Any], crops: Any, *, train: bool
) -> tuple[Any, dict[str, Any]]:
    """(n, 2, 80, 80, 3) in -1..1 to (n, 7): living, then the teachers' six logits."""
    renewed = {}

    def layer(name: str, x: Any, stride: int) -> Any:
        own = weights[name]
        x = jax.lax.conv_general_dilated(
            x, own["w"], (stride, stride), ((1, 1), (1, 1)),
            dimension_numbers=("NHWC", "HWIO", "NHWC"),
        )  # fmt: skip
        known = statistics[name]
        mean, spread = (x.mean((0, 1, 2)), x.var((0, 1, 2))) if train else (known["m"], known["v"])
        renewed[name] = {
            "m": 0.95 * known["m"] + 0.05 * mean,
            "v": 0.95 * known["v"] + 0.05 * spread,
        }
        return jax.nn.relu((x - mean) * jax.lax.rsqrt(spread + EPSILON) * own["g"] + own["b"])

    parts = []
    for crop in range(len(SCALES)):
        x = crops[:, crop]
        for n, (_, stride) in enumerate(STEM):
            x = layer(f"stem{crop}.{n}", x, stride)
        parts.append(x)
    x = jnp.concatenate(parts, axis=-1)
    for n, (_, stride) in enumerate(TRUNK):
        x = layer(f"trunk.{n}", x, stride)
    return x.mean((1, 2)) @ weights["head"]["w"] + weights["head"]["b"], renewed


def varied(key: Any, crops: Any, noise: Any) -> Any:
    """Crops (uint8) mirrored, relit, recoloured and noisy, in -1..1."""
    count = crops.shape[0]
    keys = jax.random.split(key, 7)

    def one(n: int, low: float, high: float, channels: int = 1) -> Any:
        drawn = jax.random.uniform(keys[n], (count, channels), minval=low, maxval=high)
        return drawn[:, None, None, None, :]

    x = crops.astype(jnp.float32) / 127.5 - 1
    x = jnp.where(one(0, 0, 1) < 0.5, x[:, :, :, ::-1], x)
    x = x * one(1, 0.7, 1.3) + one(2, -0.25, 0.25) + one(3, -0.12, 0.12, 3)
    grey = x.mean(-1, keepdims=True)
    x = grey + (x - grey) * one(4, 0.4, 1.3)
    chosen = jax.random.randint(keys[5], (count,), 0, noise.shape[0])
    return jnp.clip(x + noise[chosen][:, None] * one(6, 0, 0.05), -1, 1)


def train(scenes: Scenes, steps: int, seed: int) -> tuple[dict[str, Any], dict[str, Any]]:
    """Weights and statistics after so many steps of 64 scenes."""
    probabilities = np.asarray(jax.nn.softmax(scenes.teachers, axis=-1))[:, :, 1].mean(axis=1)
    logits = scenes.teachers.reshape(len(scenes.teachers), -1)
    logits = (logits - logits.mean(axis=0)) / logits.std(axis=0)
    targets = 0.5 * (scenes.living * 0.96 + 0.02) + 0.5 * probabilities
    rng, key = np.random.default_rng(seed), jax.random.PRNGKey(seed)
    noise = jnp.asarray(rng.standard_normal((256, 80, 80, 3), np.float32))
    weights, statistics = initial(seed)
    rate = optax.warmup_cosine_decay_schedule(0, 2e-3, min(100, steps // 4 + 1), steps + 1)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, weight_decay=2e-3))
    memory = optimiser.init(weights)

    def loss(weights: Any, statistics: Any, crops: Any, target: Any, logit: Any, key: Any) -> Any:
        out, renewed = forward(weights, statistics, varied(key, crops, noise), train=True)
        truth = optax.sigmoid_binary_cross_entropy(out[:, 0], target).mean()
        return truth + 0.1 * ((out[:, 1:] - logit) ** 2).mean(), renewed

    @jax.jit
    def step(weights: Any, statistics: Any, memory: Any, *batch: Any) -> Any:
        (value, renewed), slope = jax.value_and_grad(loss, has_aux=True)(
            weights, statistics, *batch
        )
        change, memory = optimiser.update(slope, memory, weights)
        return optax.apply_updates(weights, change), renewed, memory, value

    seen, began = np.where(~scenes.held_out)[0], time.time()
    for n in range(steps):
        batch = rng.choice(seen, 64)
        key, own = jax.random.split(key)
        weights, statistics, memory, value = step(
            weights, statistics, memory, scenes.crops[batch],
            targets[batch].astype(np.float32), logits[batch].astype(np.float32), own,
        )  # fmt: skip
        if (n + 1) % 100 == 0 or n + 1 == steps:
            print(
                f"{n + 1} steps, {time.time() - began:.0f} s, loss {float(value):.3f}", flush=True
            )
    return weights, statistics


def exported(weights: dict[str, Any], statistics: dict[str, Any]) -> onnx.ModelProto:
    """The network as ONNX: input [1, 6, 80, 80] RGB 0..255 (face, then surroundings), output the
    probability of a living face [1]; normalisations folded into the convolutions."""
    nodes, constants = [], []

    def constant(name: str, value: Any) -> str:
        constants.append(numpy_helper.from_array(np.ascontiguousarray(value, np.float32), name))
        return name

    nodes.append(helper.make_node("Mul", ["crops", constant("scale", 1 / 127.5)], ["scaled"]))
    nodes.append(helper.make_node("Add", ["scaled", constant("shift", -1.0)], ["x"]))
    names = [f"crop{n}" for n in range(len(SCALES))]
    nodes.append(helper.make_node("Split", ["x"], names, axis=1, num_outputs=len(SCALES)))

    def convolve(name: str, source: str, stride: int) -> str:
        own, known = weights[name], statistics[name]
        gain = np.asarray(own["g"]) / np.sqrt(np.asarray(known["v"]) + EPSILON)
        kernel = np.asarray(own["w"]).transpose(3, 2, 0, 1) * gain[:, None, None, None]
        bias = np.asarray(own["b"]) - np.asarray(known["m"]) * gain
        inputs = [source, constant(f"{name}.w", kernel), constant(f"{name}.b", bias)]
        nodes.append(
            helper.make_node(
                "Conv", inputs, [f"{name}.c"], strides=[stride, stride], pads=[1, 1, 1, 1]
            )
        )
        nodes.append(helper.make_node("Relu", [f"{name}.c"], [f"{name}.r"]))
        return f"{name}.r"

    parts = []
    for crop, name in enumerate(names):
        for n, (_, stride) in enumerate(STEM):
            name = convolve(f"stem{crop}.{n}", name, stride)
        parts.append(name)
    nodes.append(helper.make_node("Concat", parts, ["both"], axis=1))
    name = "both"
    for n, (_, stride) in enumerate(TRUNK):
        name = convolve(f"trunk.{n}", name, stride)
    nodes.append(helper.make_node("GlobalAveragePool", [name], ["pooled"]))
    nodes.append(helper.make_node("Flatten", ["pooled"], ["flat"]))
    head = weights["head"]
    inputs = ["flat", constant("head.w", head["w"][:, :1]), constant("head.b", head["b"][:1])]
    nodes.append(helper.make_node("Gemm", inputs, ["logit"]))
    nodes.append(helper.make_node("Sigmoid", ["logit"], ["living"]))
    shape = [1, 3 * len(SCALES), 80, 80]
    graph = helper.make_graph(
        nodes,
        "liveness_student",
        [helper.make_tensor_value_info("crops", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("living", TensorProto.FLOAT, [1, 1])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    onnx.checker.check_model(model)
    return model


def report(path: Path, scenes: Scenes) -> None:
    """How the exported network does on the people who were held out, through the product's runtime."""
    network = load_network(path)
    rows = np.where(scenes.held_out)[0]
    planes = scenes.crops[rows].transpose(0, 1, 4, 2, 3).reshape(len(rows), -1, 80, 80)
    scores = np.array([float(network(x[None].astype(np.float32))[0].ravel()[0]) for x in planes])
    living = scores[scenes.living[rows]]
    attacks = scores[~scenes.living[rows]]
    area = float((living[:, None] > attacks).mean())
    print(f"{path.stat().st_size} bytes; held out: {len(living)} living, {len(attacks)} attacks")
    print(f"AUC {area:.3f}; at 0.3: refused {np.mean(living < 0.3):.3f}", end=", ")
    print(f"accepted {np.mean(attacks >= 0.3):.3f}")


def main() -> None:
    """Make scenes, train, export, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("data", type=Path, help="the folder of labelled recordings")
    parser.add_argument("--scenes", type=int, default=5500)
    parser.add_argument("--steps", type=int, default=4000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=Path, default=Path("liveness_student.onnx"))
    chosen = parser.parse_args()
    settings = Settings()
    mirror = settings.models_mirror or chosen.data.parent / "models"
    store = ModelStore(settings.models_folder, mirror if mirror.is_dir() else None)
    scenes = make_scenes(chosen.data, store, chosen.scenes, chosen.seed)
    print(f"{len(scenes.living)} scenes, {scenes.living.mean():.2f} living")
    weights, statistics = train(scenes, chosen.steps, chosen.seed)
    onnx.save(exported(weights, statistics), str(chosen.out))
    report(chosen.out, scenes)


if __name__ == "__main__":
    main()
