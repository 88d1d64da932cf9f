"""Time until enrolment is complete on clean clips: ``python -m evaluation.enrolment DATA``.

Each clip that is labelled as a single person is a session under the exam policy that runs until the
candidate is ready. Nobody in them was told how to sit. Where a clip ends before that, the missing
requirements are printed, as the candidate would see them.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from statistics import median

from evaluation.clean_clips import clean_clips
from evaluation.sessions import evaluation_models
from proctoring.judgement.policy import load_policy
from proctoring.recording.video_track import analyse_video
from proctoring.session.pipeline import Pipeline
from proctoring.vision.analyser import VisionAnalyser


def main() -> None:
    """Print when each clip is ready, and how many are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--policy", default="exam")
    arguments = parser.parse_args()
    models = evaluation_models(arguments.data)
    times: list[float] = []
    clips = clean_clips(arguments.data / "video")
    for path in clips:
        pipeline = Pipeline(load_policy(arguments.policy), VisionAnalyser(models))
        last = 0.0
        for analysed in analyse_video(path, pipeline):
            last = analysed.frame.time
            if pipeline.guidance["enrolment"]["state"] == "ready":
                break
        stands = pipeline.guidance["enrolment"]
        if stands["ready_at"] is not None:
            times.append(stands["ready_at"])
            print(
                f"{path.parent.name}/{path.name}: ready at {stands['ready_at']:.1f} s", flush=True
            )
        else:
            missing = ", ".join(item["code"] for item in stands["missing"])
            print(
                f"{path.parent.name}/{path.name}: not ready in {last:.1f} s: {missing}", flush=True
            )
    print(f"\n{len(times)} of {len(clips)} ready", end="")
    print(f", at {median(times):.1f} s in the middle, {max(times):.1f} s at last" if times else "")


if __name__ == "__main__":
    main()
