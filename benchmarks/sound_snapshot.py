"""What a snapshot of a session's sound and clocks costs: bytes, and CPU time to take, encode and restore it.

uv run python -m benchmarks.sound_snapshot
"""

from __future__ import annotations

from collections.abc import Callable

from evaluation.speech import fetch_carried_speech, read_pcm

from benchmarks.processor_time import median_and_most
from proctoring import snapshots
from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.networks import load_audio_models
from proctoring.audio.state import AudioState, Voices
from proctoring.models.store import ModelStore
from proctoring.session.clock import MediaClock
from proctoring.session.continuation import ArrivalState
from proctoring.session.counters import AudioCounts, FrameCounts
from proctoring.session.media_monitor import MediaMonitor
from proctoring.settings import Settings

ROUNDS = 2_000


def microseconds(work: Callable[[], object]) -> str:
    """Median and 99th percentile of this thread's CPU time for one call."""
    median, most = median_and_most(work, ROUNDS)
    return f"{median * 1e6:6.0f} ({most * 1e6:.0f})"


def show(name: str, value: object, kind: type) -> None:
    """Print a line of the table."""
    data = snapshots.encode(value)
    encoding = microseconds(lambda: snapshots.encode(value))
    decoding = microseconds(lambda: snapshots.decode(data, kind))
    print(f"{name:34} {len(data):7} bytes  encode {encoding}  decode {decoding} us", flush=True)


def arrivals() -> ArrivalState:
    """Of a session in which everything arrives."""
    clock, monitor, counts = MediaClock(), MediaMonitor(), FrameCounts(36_000, 0, 100, 35_900)
    for second in range(3_600):
        clock.stamp(float(second), 1_800_000_000_000_000 + second * 1_000_000)
        monitor.frame_arrived(float(second))
        monitor.sound_arrived(float(second))
    monitor.report(3_600.0, 3_600.0, counts)
    return ArrivalState(
        1.8e9, clock.snapshot(3_600.0), monitor.snapshot(3_600.0), 0.1, False, counts,
        AudioCounts(3_600.0), 3_599.5,
    )  # fmt: skip


def main() -> None:
    """Print the table."""
    store = ModelStore(Settings().models_folder, Settings().models_mirror)
    models = load_audio_models(store)
    folder = fetch_carried_speech(store)
    one, two = (read_pcm(folder / f"{name}.wav") for name in ("two_cities", "endgame_nagg_nell"))
    print(f"CPU time, median and 99th percentile of {ROUNDS} calls")
    show("clocks and counters (hot)", arrivals(), ArrivalState)
    analyser = AudioAnalyser(models)
    for who, audio in (("one voice", one), ("two or three voices", two)):
        analyser.push(audio)
        snapshot = analyser.snapshot()
        print(f"{who}: take {microseconds(analyser.snapshot)} us")
        show("  sound (hot)", snapshot.state, AudioState)
        count = [len(speaker.exemplars) for speaker in snapshot.voices.speakers]
        show(f"  voices, exemplars {count}", snapshot.voices, Voices)

    def restore() -> None:
        AudioAnalyser(models).restore(snapshot.state, snapshot.voices)

    print(f"restore: {microseconds(restore)} us")


if __name__ == "__main__":
    main()
