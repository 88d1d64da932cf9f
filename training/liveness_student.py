# /// script
# requires-python = ">=3.11"
# dependencies = ["proctoring-ai[server]", "jax>=0.4", "optax>=0.2", "onnx>=1.16", "onnxruntime>=1.20", "scikit-image>=0.25"]
# [tool.uv.sources]
# proctoring-ai = { path = "..", editable = true }
# ///
"""Train a small liveness network: ``uv run --script training/liveness_student.py``.

Bona fide scenes: the people of ``people.py`` through a simulated camera
(``simulated_attacks.filmed``), partly before other backgrounds. Attacks: the same people printed or
shown on a screen (``simulated_attacks``). Teachers: MiniFASNet V2 and V1SE; their scores are half of the
target, the label the other half. NUAA and the samples of MiniFASNet are test data and not read here.

JAX rather than PyTorch, because its CPU-only wheel is on PyPI; a GPU is used where there is one. Results
are in ``training/MODEL_CARD.md``.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import onnx
import onnxruntime
import optax
from onnx import TensorProto, helper, numpy_helper
from scenes import SCALES, Scenes, make_scenes

STEM, TRUNK = ((16, 2), (32, 2)), ((64, 2), (96, 2), (96, 1))
"""Width and stride of each 3 x 3 convolution: per crop, then over both."""
EPSILON = 1e-3
BATCH = 256
MEMORY = 0.999
"""Decay of the running mean of the weights, per step."""


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
    """Initial weights, and running statistics of the normalisations."""
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
    """Augmented crops (uint8 to -1..1): mirroring, brightness, colour and noise."""
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
    """Running mean of weights and statistics after so many steps of ``BATCH`` scenes."""
    probabilities = np.asarray(jax.nn.softmax(scenes.teachers, axis=-1))[:, :, 1].mean(axis=1)
    logits = scenes.teachers.reshape(len(scenes.teachers), -1)
    logits = (logits - logits.mean(axis=0)) / logits.std(axis=0)
    targets = 0.5 * (scenes.living * 0.96 + 0.02) + 0.5 * probabilities
    seen = np.where(~scenes.held_out)[0]
    # All data on the device, so that a step copies nothing.
    everything = tuple(
        jnp.asarray(column[seen]) for column in (
            scenes.crops, targets.astype(np.float32), logits.astype(np.float32)
        )
    )  # fmt: skip
    key = jax.random.PRNGKey(seed)
    noise = jax.random.normal(jax.random.fold_in(key, 1), (256, 80, 80, 3))
    weights, statistics = initial(seed)
    rate = optax.warmup_cosine_decay_schedule(0, 2e-3, min(200, steps // 4 + 1), steps + 1)
    optimiser = optax.chain(optax.clip_by_global_norm(1.0), optax.adamw(rate, weight_decay=2e-3))
    memory = optimiser.init(weights)

    def loss(weights: Any, statistics: Any, crops: Any, target: Any, logit: Any, key: Any) -> Any:
        out, renewed = forward(weights, statistics, varied(key, crops, noise), train=True)
        truth = optax.sigmoid_binary_cross_entropy(out[:, 0], target).mean()
        return truth + 0.1 * ((out[:, 1:] - logit) ** 2).mean(), renewed

    @jax.jit
    def step(weights: Any, statistics: Any, memory: Any, mean: Any, all_: Any, key: Any) -> Any:
        drawn, own = jax.random.split(key)
        batch = jax.random.randint(drawn, (BATCH,), 0, len(seen))
        (value, renewed), slope = jax.value_and_grad(loss, has_aux=True)(
            weights, statistics, *(column[batch] for column in all_), own
        )
        change, memory = optimiser.update(slope, memory, weights)
        weights = optax.apply_updates(weights, change)
        mean = optax.incremental_update((weights, renewed), mean, 1 - MEMORY)
        return weights, renewed, memory, mean, value

    began, mean = time.time(), (weights, statistics)
    for n in range(steps):
        weights, statistics, memory, mean, value = step(
            weights, statistics, memory, mean, everything, jax.random.fold_in(key, n + 2)
        )
        if (n + 1) % 1000 == 0 or n + 1 == steps:
            print(
                f"{n + 1} steps, {time.time() - began:.0f} s, loss {float(value):.3f}", flush=True
            )
    return mean


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
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    onnx.checker.check_model(model)
    return model


def scores(path: Path, scenes: Scenes) -> np.ndarray:
    """The exported network's score of every scene."""
    network = onnxruntime.InferenceSession(path)
    planes = scenes.crops.transpose(0, 1, 4, 2, 3).reshape(len(scenes.crops), -1, 80, 80)
    return np.array(
        [network.run(None, {"crops": x[None].astype(np.float32)})[0].ravel()[0] for x in planes]
    )


def report(path: Path, scenes: Scenes) -> None:
    """Print the exported network's accuracy on the held-out people."""
    held = scenes.held_out
    found, alive = scores(path, scenes.only(held)), scenes.living[held]
    living, attacks = np.sort(found[alive]), np.sort(found[~alive])
    area = float((np.searchsorted(attacks, living) / len(attacks)).mean())
    print(f"{path.stat().st_size} bytes; held out: {len(living)} living, {len(attacks)} attacks")
    print(f"AUC {area:.4f}", end="")
    for limit in (0.1, 0.2, 0.3, 0.4, 0.5):
        refused, accepted = np.mean(living < limit), np.mean(attacks >= limit)
        print(f"; at {limit}: refused {refused:.3f}, accepted {accepted:.3f}", end="")
    print(flush=True)


def main() -> None:
    """Make scenes, train, export, report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("people", type=Path, help="the file written by people.py")
    parser.add_argument("teachers", type=Path, help="the folder with the teachers' files")
    parser.add_argument("--scenes", type=int, default=24000)
    parser.add_argument("--steps", type=int, default=12000)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--out", type=Path, default=Path("liveness_student.onnx"))
    chosen = parser.parse_args()
    scenes = make_scenes(chosen.people, chosen.teachers, chosen.scenes, chosen.seed)
    print(f"{len(scenes.living)} scenes, {scenes.living.mean():.2f} living")
    weights, statistics = train(scenes, chosen.steps, chosen.seed)
    onnx.save(exported(weights, statistics), str(chosen.out))
    report(chosen.out, scenes)


if __name__ == "__main__":
    main()
