"""The online diarizer: one step per window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.diarization.assignment import assign
from proctoring.audio.diarization.clusters import Clusters
from proctoring.audio.diarization.separation import compare_latest, compare_longest
from proctoring.audio.diarization.settings import DiarizationSettings
from proctoring.audio.diarization.speaker import CANDIDATE, Speaker, other_speaker_confidence
from proctoring.audio.diarization.state import DiarizationState, match_local_speakers
from proctoring.audio.diarization.window import Window, embed_frames, silence_older_half
from proctoring.audio.embedding import SpeakerEmbedding
from proctoring.audio.pcm import Waveform
from proctoring.audio.segmentation import (
    FRAME_STEP,
    FRAMES,
    LOCAL_SPEAKERS,
    Activity,
    FilterCache,
    SegmentationNetwork,
    frames_in,
    segment,
)
from proctoring.models.onnx_runtime import OnnxNetwork
from proctoring.observations import DiarizationResult, SpeakerActivity


class OnlineDiarizer:
    """Who speaks, step by step. Shared by all sessions; holds no session's state.

    Args:
        segmentation: pyannote's segmentation network.
        embedding: pyannote's speaker embedding network.
        settings: tunables.
    """

    def __init__(
        self,
        segmentation: SegmentationNetwork,
        embedding: OnnxNetwork,
        settings: DiarizationSettings | None = None,
    ) -> None:
        self.settings = settings or DiarizationSettings()
        self.segmentation = segmentation
        self.embedding = embedding

    def diarize(
        self,
        state: DiarizationState,
        waveform: Waveform,
        time: float,
        *,
        speech: float = 0.0,
        cache: FilterCache | None = None,
        end: int = 0,
    ) -> tuple[DiarizationState, DiarizationResult]:
        """Process the last ten seconds.

        Args:
            state: as the previous step returned it.
            waveform: (160000,), ending at ``time``; zeros where there is no audio.
            time: media time of the window's end, in seconds.
            speech: seconds of speech that voice activity detection found since the previous step.
            cache: of the session; without it the whole window is filtered.
            end: number of the sample after the window's last, counted through the session.

        Returns:
            The state for the next step, and who spoke since the previous one.
        """
        activity = segment(self.segmentation, waveform, cache, end)
        recent = frames_in(self.settings.active_within_seconds)
        if speech >= self.settings.missed_speech_seconds and not activity[-recent:].any():
            activity = segment(self.segmentation, silence_older_half(waveform))
        alone = activity & (activity.sum(axis=1) == 1)[:, None]
        window = Window(waveform, alone, time, self.embedding)
        clusters = Clusters(
            self.settings, state.speakers, match_local_speakers(state, activity, time)
        )
        for index in range(LOCAL_SPEAKERS):
            if activity[-recent:, index].any():
                assign(clusters, window, index)
        separated_at = compare_latest(clusters, window, state.separated_at)
        compared_at, separated_at = compare_longest(
            clusters, window, state.compared_at, separated_at
        )
        after = DiarizationState(
            tuple(clusters.speakers),
            separated_at,
            compared_at,
            time,
            activity,
            tuple(clusters.local_speakers),
        )
        since = min(frames_in(time - state.time), FRAMES) if state.time > float("-inf") else FRAMES
        return after, self._observation(clusters, window, activity[-since:])

    def no_speech(self, state: DiarizationState) -> DiarizationResult:
        """The observation of a step without speech. Runs no network."""
        return DiarizationResult((), self._enrolment(state.speakers), overlap=0.0, unassigned=0.0)

    def embed_frames(self, waveform: Waveform, frames: NDArray[np.bool_]) -> SpeakerEmbedding:
        """The embedding of the marked frames, (589,), of a window, (160000,)."""
        return embed_frames(self.embedding, waveform, frames)

    def _enrolment(self, speakers: Sequence[Speaker]) -> float:
        """How much of the candidate's voice is known, 0 to 1."""
        candidate = next((s for s in speakers if s.number == CANDIDATE), None)
        if candidate is None:
            return 0.0
        if candidate.reference_seconds:
            return 1.0
        return min(1.0, candidate.seconds / self.settings.enrolment_seconds)

    def _observation(
        self, clusters: Clusters, window: Window, lately: Activity
    ) -> DiarizationResult:
        """Who spoke in ``lately``, the frames since the previous step."""
        candidate = clusters.candidate
        heard: dict[int, SpeakerActivity] = {}
        unassigned = np.zeros(len(lately), np.bool_)
        for index, local in enumerate(clusters.local_speakers):
            if local is None or not lately[:, index].any():
                continue
            speaker = clusters.assigned(local)
            if speaker is None:
                unassigned |= lately[:, index]
                continue
            is_candidate = speaker.number == CANDIDATE
            similarity = (
                None
                if is_candidate or candidate is None
                else float(speaker.centroid @ candidate.centroid)
            )
            heard[speaker.number] = SpeakerActivity(
                speaker.number,
                similarity,
                0.0 if is_candidate else other_speaker_confidence(similarity),
                window.seconds_alone(index),
            )
        return DiarizationResult(
            speakers=tuple(heard[number] for number in sorted(heard)),
            enrolment=self._enrolment(clusters.speakers),
            overlap=float((lately.sum(axis=1) >= 2).sum() * FRAME_STEP),
            unassigned=float(unassigned.sum() * FRAME_STEP),
        )
