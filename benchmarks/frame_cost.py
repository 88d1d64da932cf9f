"""CPU of a frame outside the networks, part by part: our own Python, numpy and OpenCV.

    uv run python -m benchmarks.frame_cost VIDEO... [--seconds 30] [--ungated]

One session in this process, on one thread: frames of 640 x 480 as JPEG, 10 a second of media time,
everything on (policy ``exam``), decoded, analysed, judged, packed for the records, counted, and its
answer written as JSON; without sockets and database. CPU time of the process, so the load of the
machine counts only where it costs caches. The time of networks and of other parts that a part calls is not
counted in it. *Python and numpy* is all but networks, decoding and OpenCV.
"""

from __future__ import annotations

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import BuiltinFunctionType
from typing import Any

import cv2
from prometheus_client import CollectorRegistry

from benchmarks.latency import RATE, recorded
from proctoring.judgement import shipped_policy
from proctoring.judgement.inputs import JudgementInput
from proctoring.models.network import Network
from proctoring.models.store import ModelStore
from proctoring.records.signal_segments import Curves, make_segment
from proctoring.records.signals import SEGMENT_SECONDS
from proctoring.server.observation_json import observation_text
from proctoring.session.counters import SessionCounters
from proctoring.session.messages import ReceivedFrame
from proctoring.session.outcomes import FrameAnalysed, FrameReceived, JudgementUpdate, Outcome
from proctoring.session.pipeline import Pipeline
from proctoring.session.session_metrics import SessionMetrics
from proctoring.session.sinks import Sinks
from proctoring.settings import Settings
from proctoring.vision.analyser import FrameAnalysis, VisionAnalyser
from proctoring.vision.decode import Jpeg, read_jpeg
from proctoring.vision.frame import Frame
from proctoring.vision.networks import VisionModels, load_vision_models
from proctoring.vision.steps import run_to_completion

NETWORKS = "networks"
DECODE = "decode"
OPENCV = "OpenCV"
DECODE_JPEG = Jpeg.decode


class Meter:
    """CPU seconds of parts that call each other, each without those that it calls."""

    def __init__(self) -> None:
        self.spent: defaultdict[str, float] = defaultdict(float)
        self._open: list[str] = []
        self._since = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Count what runs within as this part's."""
        now = time.process_time()
        if self._open:
            self.spent[self._open[-1]] += now - self._since
        self._open.append(name)
        self._since = time.process_time()  # the clock's own time is nobody's
        try:
            yield
        finally:
            now = time.process_time()
            self.spent[self._open.pop()] += now - self._since
            self._since = time.process_time()

    def wrapped(self, name: str, function: Callable[..., Any]) -> Callable[..., Any]:
        """The function, its time counted."""

        def timed(*args: Any, **named: Any) -> Any:
            with self.part(name):
                return function(*args, **named)

        return timed


class Records:
    """Packs a session's inputs in segments, as ``SignalRecorder`` does, and keeps nothing."""

    def __init__(self) -> None:
        self._inputs: list[JudgementInput] = []
        self._number = 0
        self._unjoined: tuple[Curves, ...] = ()

    def add(self, item: JudgementInput) -> None:
        """Add an input."""
        self._inputs.append(item)
        if item.time - self._inputs[0].time >= SEGMENT_SECONDS:
            segment = make_segment("sitting", self._number, self._inputs, self._unjoined)
            self._unjoined = segment.unjoined
            self._number += 1
            self._inputs = []


def read_frame(at: float, jpeg: bytes) -> Frame:
    """The frame as a session reads it: its small grey copy at once, its pixels when they are needed."""
    frame = Frame(at, read_jpeg(jpeg))
    frame.luma  # noqa: B018  # decodes it
    return frame


class _Reply:
    """Sends nothing."""

    def analysed(self, frame: ReceivedFrame, analysis: FrameAnalysis, decode_ms: float) -> None: ...

    def refused(self, error: Exception) -> None: ...

    def failed(self) -> None: ...


def run(
    models: VisionModels, jpegs: Iterable[bytes], meter: Meter, *, gated: bool
) -> tuple[int, int]:
    """Analyse the frames as one session; returns their number, and in how many faces were measured."""
    records, metrics = Records(), SessionMetrics(CollectorRegistry())
    analyser = VisionAnalyser(models, gated=gated)
    pipeline = Pipeline(
        shipped_policy("exam"), analyser, record=meter.wrapped("records", records.add)
    )
    for stage, _ in analyser._stages._stages:  # noqa: SLF001
        setattr(stage, "run", meter.wrapped(stage.name, stage.run))  # noqa: B010
    sinks = Sinks((SessionCounters(), metrics))
    emit: Callable[[Outcome], None] = meter.wrapped("sinks", sinks.emit)
    read = meter.wrapped(DECODE, read_frame)
    setattr(Jpeg, "decode", meter.wrapped(DECODE, DECODE_JPEG))  # noqa: B010
    analyse = meter.wrapped("stage loop", analyser.analyse_immediate)
    apply = meter.wrapped("judgement", pipeline.apply)
    objects = meter.wrapped("objects", run_to_completion)
    answer = meter.wrapped("JSON", observation_text)
    count = measured = 0
    for jpeg in jpegs:
        at = count / RATE
        received = ReceivedFrame(jpeg, at, count, at, _Reply())
        emit(FrameReceived(received))
        analysis = analyse(read(at, jpeg))
        measured += bool(analysis.measured)
        changes = apply(analysis.observation)
        emit(FrameAnalysed(received, analysis, 1.0, 0.02, deferred=False))
        emit(JudgementUpdate(at, changes))
        if analysis.deferred is not None:
            late = analyser.apply_result(objects(analysis.deferred.steps()))
            emit(JudgementUpdate(at, apply(late.observation)))
        answer(analysis, capture=count, decode_ms=1.0, latency_ms=20.0, landmarks=False)
        count += 1
    return count, measured


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("videos", nargs="+", type=Path)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each video")
    parser.add_argument("--ungated", action="store_true", help="measure faces in every frame")
    chosen = parser.parse_args()
    cv2.setNumThreads(1)
    opencv = [name for name in dir(cv2) if isinstance(getattr(cv2, name), BuiltinFunctionType)]
    settings = Settings()
    models = load_vision_models(
        ModelStore(settings.models_folder, settings.models_mirror), object_model="ssd_mobilenet_v2"
    )
    meter, warm = Meter(), Meter()
    call = Network.__call__
    setattr(Network, "__call__", warm.wrapped(NETWORKS, call))  # noqa: B010
    clips = [recorded(video, int(chosen.seconds * RATE)) for video in chosen.videos]
    for name in opencv:
        setattr(cv2, name, meter.wrapped(OPENCV, getattr(cv2, name)))
    run(models, clips[0][:30], warm, gated=not chosen.ungated)
    setattr(Network, "__call__", meter.wrapped(NETWORKS, call))  # noqa: B010
    counts = [run(models, clip, meter, gated=not chosen.ungated) for clip in clips]
    frames, measured = (sum(column) for column in zip(*counts, strict=True))
    each = {name: spent / frames * 1e3 for name, spent in meter.spent.items()}
    print(f"{frames} frames, faces measured in {measured}; load average {os.getloadavg()[0]:.1f}\n")
    print("| part | CPU ms per frame |\n| --- | --- |")
    for name, ms in sorted(each.items(), key=lambda item: -item[1]):
        print(f"| {name} | {ms:.3f} |")
    ours = sum(ms for name, ms in each.items() if name not in (NETWORKS, DECODE, OPENCV))
    print(f"| **Python and numpy** | {ours:.2f} |")
    print(f"| all | {sum(each.values()):.2f} |")


if __name__ == "__main__":
    main()
