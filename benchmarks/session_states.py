"""What it costs that a session can go on in another process: bytes, CPU time, and the time to continue.

uv run python -m benchmarks.session_states [SECONDS]

A session is analysed for SECONDS (30) of media: a real face that moves, and real speech. Then its state is taken,
encoded, encrypted and written as a server does, for several numbers of sessions in one transaction.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from evaluation.speech import fetch_carried_speech, read_pcm
from skimage import data

from benchmarks.sound_snapshot import arrivals
from proctoring.audio.analyser import AudioAnalyser
from proctoring.audio.networks import load_audio_models
from proctoring.judgement.policy import shipped_policy
from proctoring.models.store import ModelStore
from proctoring.records.archive import Archive, open_archive
from proctoring.records.continuation import claim_kept
from proctoring.records.entries import SittingSaved, SittingStarted, sitting_ref
from proctoring.session.continuing import decode_parts
from proctoring.session.keeper import FULL_PERIOD, HOT_PERIOD
from proctoring.session.kept import BiometricState, HotState, LearnedState
from proctoring.session.pipeline import Pipeline
from proctoring.session.sound_state import SoundState, SoundVoices
from proctoring.settings import Settings
from proctoring.snapshots import encode
from proctoring.vision.analyser import VisionAnalyser
from proctoring.vision.frame import Frame
from proctoring.vision.networks import load_vision_models

ROUNDS = 30
PICTURE = "astronaut"
ARRIVALS = arrivals()
SESSIONS = (1, 20, 100)


def spent(work: Callable[[], object]) -> tuple[float, float]:
    """Medians of the process's CPU time and of the time passed, in milliseconds."""
    times = []
    for _ in range(ROUNDS):
        processor, wall = time.process_time(), time.perf_counter()
        work()
        times.append((time.process_time() - processor, time.perf_counter() - wall))
    cpu, passed = np.median(np.array(times), axis=0) * 1000
    return float(cpu), float(passed)


def watched(seconds: int) -> tuple[Pipeline, AudioAnalyser]:
    """A session after so many seconds of a face and a voice."""
    store = ModelStore(Settings().models_folder, Settings().models_mirror)
    vision = load_vision_models(store, object_model=Settings().object_model)
    pipeline = Pipeline(shipped_policy("exam"), VisionAnalyser(vision), seed="benchmark")
    picture = np.ascontiguousarray(getattr(data, PICTURE)())
    dice = np.random.default_rng(1)
    for number in range(10 * seconds):
        moved = np.roll(picture, round(4 * np.sin(number / 7)), axis=1)
        noise = dice.integers(0, 6, moved.shape, np.uint8)
        pipeline.analyse(Frame(number / 10, np.clip(moved, 0, 249) + noise))
        pipeline.take_notices()
    sound = AudioAnalyser(load_audio_models(store))
    speech = read_pcm(fetch_carried_speech(store) / "endgame_nagg_nell.wav")
    sound.push(np.tile(speech, 1 + seconds // 28)[: 16_000 * seconds])
    return pipeline, sound


def take(pipeline: Pipeline, sound: AudioAnalyser, *, full: bool) -> tuple[object, ...]:
    """The parts, as ``session/keeper.py`` takes them."""
    heard, vision, judged = sound.snapshot(), pipeline.analyser, pipeline.judgement()
    hot = HotState(
        ARRIVALS, SoundState(0.0, heard.state), vision.hot(), judged.inputs, judged.faces,
        judged.recent,
    )  # fmt: skip
    if not full:
        return (hot, None, None)
    biometrics = BiometricState(SoundVoices(heard.voices), vision.biometrics())
    return (hot, LearnedState(vision.learned()), biometrics)


def main() -> None:
    """Print the figures."""
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 30
    print(
        f"load {Path('/proc/loadavg').read_text().split()[0]}; {seconds} s of media, {ROUNDS} rounds"
    )
    pipeline, sound = watched(seconds)
    hot, learned, biometrics = take(pipeline, sound, full=True)
    parts = {"judgement": pipeline.state, "hot": hot, "learned": learned, "biometrics": biometrics}
    for name, part in parts.items():
        cpu, _ = spent(partial(encode, part))
        print(f"{name:12} {len(encode(part)):8} bytes, encoded in {cpu:.2f} ms")
    cpu, _ = spent(lambda: take(pipeline, sound, full=False))
    print(f"taking the hot part: {cpu:.2f} ms")
    cpu, _ = spent(lambda: take(pipeline, sound, full=True))
    print(f"taking all parts:    {cpu:.2f} ms")
    with TemporaryDirectory() as folder:
        _write_and_continue(Path(folder), pipeline, sound)


def _write_and_continue(folder: Path, pipeline: Pipeline, sound: AudioAnalyser) -> None:
    now, policy = datetime.now(UTC), shipped_policy("exam")
    archive = open_archive(None, folder, now)
    writer = archive.writer()
    sittings = [sitting_ref(f"exam-{number}", now) for number in range(max(SESSIONS))]
    starts = [SittingStarted(sitting, False, policy.name, policy.to_toml()) for sitting in sittings]
    writer.write(starts, lambda _, seq: str(seq))
    for full in (False, True):
        for count in SESSIONS:

            def write(full: bool = full, count: int = count) -> None:
                # Every part differs, as in a session in which all of it was learned anew.
                parts = take(pipeline, sound, full=full)
                saved = [
                    SittingSaved(sitting, now, 1.0, pipeline.state, *parts)
                    for sitting in sittings[:count]
                ]
                writer._states.clear()  # noqa: SLF001  (else equal parts would not be written)
                writer.write(saved, lambda _, seq: str(seq))

            cpu, passed = spent(write)
            period = FULL_PERIOD if full else HOT_PERIOD
            what = "all parts" if full else "hot parts"
            print(
                f"{count:4} sessions' {what} in one transaction: {cpu:.1f} ms CPU, {passed:.1f} ms; "
                f"{cpu / count / period:.3f} ms CPU per session-second"
            )
    archive.engine.dispose()
    _continue(open_archive(None, folder, now), [sitting.session_id for sitting in sittings])


def _continue(archive: Archive, names: list[str]) -> None:
    began, processor = time.perf_counter(), time.process_time()
    for name in names:
        kept = claim_kept(
            archive.engine, archive.signer, archive.sealing, name,
            server_id=archive.server_id, is_gone=lambda _: True, now=datetime.now(UTC),
        )  # fmt: skip
        assert kept is not None
        assert decode_parts(kept, archive.sealing).missing == ()
    passed = (time.perf_counter() - began) / len(names) * 1000
    cpu = (time.process_time() - processor) / len(names) * 1000
    print(f"claiming and decoding a session: {passed:.1f} ms, {cpu:.1f} ms CPU")


if __name__ == "__main__":
    main()
