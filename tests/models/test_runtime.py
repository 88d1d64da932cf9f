from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from proctoring.errors import ModelUnavailableError
from proctoring.models import runtime
from proctoring.models.network import Network
from proctoring.models.runtime import available_cores, load_network, read_model, supports_bf16
from proctoring.models.store import ModelStore


@pytest.fixture(scope="module")
def full_range(model_store: ModelStore) -> Path:
    return model_store.fetch("face_detection_full_range")


def picture(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).random((1, 192, 192, 3), np.float32) * 2 - 1


def test_a_network_gives_arrays_of_its_documented_shapes(full_range: Path) -> None:
    network = load_network(full_range)

    boxes, logits = network(picture(0))

    assert network.input_shapes == ((1, 192, 192, 3),)
    assert boxes.shape == (1, 2304, 16)
    assert logits.shape == (1, 2304, 1)


def test_a_result_stays_the_callers_own_after_the_next_call(full_range: Path) -> None:
    network = load_network(full_range)

    first, _ = network(picture(0))
    kept = first.copy()
    second, _ = network(picture(1))

    assert np.array_equal(first, kept)
    assert not np.array_equal(first, second)


def test_a_network_inside_a_zip_is_opened_by_its_name(model_store: ModelStore) -> None:
    path = model_store.fetch("face_landmarker")

    network = load_network(path, member="face_blendshapes.tflite")

    (scores,) = network(np.zeros((1, 146, 2), np.float32))
    assert scores.shape == (52,)


def test_chosen_outputs_come_in_the_order_asked_for(full_range: Path) -> None:
    both = load_network(full_range)(picture(0))
    names = [port.any_name for port in reversed(read_model(full_range).outputs)]

    logits, boxes = load_network(full_range, outputs=names)(picture(0))

    assert np.array_equal(boxes, both[0])
    assert np.array_equal(logits, both[1])


def test_an_unknown_output_is_named(full_range: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="no tensor named nonsense"):
        load_network(full_range, outputs=["nonsense"])


@pytest.mark.parametrize("name", ["weights.onnx", "weights.tflite", "weights.pb", "weights.xml"])
def test_a_file_that_is_no_network_is_named_in_one_line(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(b"not a network" * 100)

    with pytest.raises(ModelUnavailableError, match=name) as caught:
        load_network(path)

    assert "\n" not in caught.value.detail


def test_a_missing_member_is_named(model_store: ModelStore) -> None:
    path = model_store.fetch("face_landmarker")

    with pytest.raises(ModelUnavailableError, match=r"nothing\.tflite"):
        load_network(path, member="nothing.tflite")


def test_many_threads_may_call_one_network_and_each_gets_its_own_answer(full_range: Path) -> None:
    network = load_network(full_range)
    expected = [network(picture(seed))[0] for seed in range(4)]
    wrong: list[int] = []

    def work(seed: int) -> None:
        wrong.extend(
            seed for _ in range(20) if not np.array_equal(network(picture(seed))[0], expected[seed])
        )

    threads = [threading.Thread(target=work, args=(seed,)) for seed in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


@pytest.mark.skipif(available_cores() < 2, reason="one core runs one thing at a time")
def test_two_threads_infer_at_the_same_moment_with_the_interpreter_free(full_range: Path) -> None:
    network = load_network(full_range)

    def overlapping() -> int:
        """Of 80 calls, 40 by each of two threads, how many began before the one before had ended."""
        spans: list[tuple[float, float]] = []

        def work() -> None:
            for seed in range(40):
                image = picture(seed)
                start = time.perf_counter()
                network(image)
                spans.append((start, time.perf_counter()))

        threads = [threading.Thread(target=work) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        spans.sort()
        return sum(later[0] < earlier[1] for earlier, later in itertools.pairwise(spans))

    # On a busy machine one of the two may have to wait for a core: another time it has one.
    assert any(overlapping() > 20 for _ in range(20)), "calls waited for each other"


def test_a_call_runs_on_the_calling_thread_alone(full_range: Path) -> None:
    network = load_network(full_range)
    image = picture(0)
    network(image)

    def share() -> float:
        """Of the processor time that the process took during calls, the calling thread's share."""
        process, thread = time.process_time(), time.thread_time()
        for _ in range(10):
            network(image)
        process, thread = time.process_time() - process, time.thread_time() - thread
        return thread / process

    # Servers of other tests may run in this process.
    assert any(share() > 0.8 for _ in range(20))


def test_copies_are_made_up_to_the_limit_when_calls_meet() -> None:
    made: list[int] = []
    running = threading.Semaphore(0)
    finish = threading.Event()

    class Compiled:
        inputs = outputs = ()

        def create_infer_request(self) -> Compiled:
            made.append(1)
            return self

        def infer(self, **_: bool) -> None:
            running.release()
            assert finish.wait(60)

    network = Network(Compiled, "f32", copies=3)
    assert len(made) == 1
    threads = [threading.Thread(target=network) for _ in range(4)]
    try:
        for thread in threads[:3]:
            thread.start()
            assert running.acquire(timeout=60), "a call waited for another one below the limit"
        threads[3].start()
        assert not running.acquire(timeout=0.05), "more calls ran at once than the limit allows"
    finally:
        finish.set()
        for thread in threads:
            if thread.ident is not None:
                thread.join()
    assert len(made) == 3


@pytest.mark.parametrize(("cores", "copies"), [(1, 1), (2, 2), (8, 2), (16, 4), (64, 13)])
def test_networks_that_run_seldom_have_few_copies(
    cores: int, copies: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(runtime, "available_cores", lambda: cores)

    assert runtime.few_copies() == copies


def test_an_array_that_may_not_be_written_is_read(full_range: Path) -> None:
    network = load_network(full_range)
    image = picture(0)
    expected, _ = network(image)
    image.flags.writeable = False
    assert np.array_equal(network(image)[0], expected)


def test_bf16_is_computed_in_f32_where_the_cpu_lacks_it(full_range: Path) -> None:
    network = load_network(full_range, precision="bf16")

    assert network.precision == ("bf16" if supports_bf16() else "f32")


INFER_AND_TELL = """
import sys
calls = []
sys.addaudithook(lambda event, args: calls.append(event) if event.startswith("socket.") else None)
import numpy as np
from pathlib import Path
from proctoring.models import runtime
from proctoring.models.runtime import load_network
network = load_network(Path(sys.argv[1]))
network(np.zeros((1, 192, 192, 3), np.float32))
loaded = [name for name in sys.modules if name.startswith("openvino_telemetry") and sys.modules[name]]
print("sockets", calls)
print("telemetry", loaded)
"""


def test_inference_opens_no_socket_and_loads_no_telemetry(full_range: Path, tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-c", INFER_AND_TELL, str(full_range)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "HOME": str(tmp_path)},  # where telemetry would keep its consent
    ).stdout

    assert told.splitlines() == ["sockets []", "telemetry []"]
    assert not list(tmp_path.rglob("*"))


@pytest.mark.parametrize("module", ["models.imported", "vision.networks"])
def test_no_way_in_loads_telemetry(module: str) -> None:
    told = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys, proctoring.{module}\n"
            "print([n for n in sys.modules if 'openvino_telemetry' in n and sys.modules[n]])",
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    assert told == "[]\n"


def test_only_the_models_floor_imports_the_runtime() -> None:
    source = Path(runtime.__file__).parents[1]
    for file in source.rglob("*.py"):
        if file.parent.name != "models":
            assert not re.search(r"^\s*(import|from) openvino", file.read_text(), re.MULTILINE), (
                file
            )
