"""The online detector of speakers: one step per window."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.diarization.assignment import assign
from proctoring.audio.diarization.clusters import Clusters
from proctoring.audio.diarization.separation import compare_longer, tell_apart
from proctoring.audio.diarization.settings import SpeakerSettings
from proctoring.audio.diarization.state import SpeakerState, match_local_speakers
from proctoring.audio.diarization.voice import CANDIDATE, Voice, confidence_of_another
from proctoring.audio.diarization.window import Window, embed_frames, older_half_silent
from proctoring.audio.embedding import SpeakerEmbedding
from proctoring.audio.pcm import Waveform
from proctoring.audio.segmentation import (
    FRAME_STEP,
    FRAMES,
    LOCAL_SPEAKERS,
    Activity,
    frames_in,
    segment,
)
from proctoring.models.onnx_runtime import OnnxNetwork
from proctoring.observations import SpeakerLook, VoiceHeard


class SpeakerDetector:
    """Tells voices apart. Shared by all sessions: it keeps no state of its own."""

    def __init__(
        self,
        segmentation: OnnxNetwork,
        embedding: OnnxNetwork,
        settings: SpeakerSettings | None = None,
    ) -> None:
        self.settings = settings or SpeakerSettings()
        self.segmentation = segmentation
        self._embedding = embedding

    def look(
        self, state: SpeakerState, waveform: Waveform, time: float, *, speech: float = 0.0
    ) -> tuple[SpeakerState, SpeakerLook]:
        """Look at the last ten seconds.

        Args:
            state: what the look before returned.
            waveform: (160000,), ending at ``time``; zeros where nothing was heard.
            time: media time of the window's end in seconds.
            speech: seconds of speech that voice activity found since the look before.

        Returns:
            The state for the next look, and what was heard since the look before.
        """
        activity = segment(self.segmentation, waveform)
        recent = frames_in(self.settings.heard_within)
        if speech >= self.settings.unheard and not activity[-recent:].any():
            activity = segment(self.segmentation, older_half_silent(waveform))
        alone = activity & (activity.sum(axis=1) == 1)[:, None]
        window = Window(waveform, alone, time, self._embedding)
        clusters = Clusters(
            self.settings, state.voices, match_local_speakers(state, activity, time)
        )
        for speaker in range(LOCAL_SPEAKERS):
            if activity[-recent:, speaker].any():
                assign(clusters, window, speaker)
        apart_at = tell_apart(clusters, window, state.apart_at)
        compared_at, apart_at = compare_longer(clusters, window, state.compared_at, apart_at)
        after = SpeakerState(
            tuple(clusters.voices),
            apart_at,
            compared_at,
            time,
            activity,
            tuple(clusters.local_speakers),
        )
        since = min(frames_in(time - state.time), FRAMES) if state.time > float("-inf") else FRAMES
        return after, self._report(clusters, window, activity[-since:])

    def silence(self, state: SpeakerState) -> SpeakerLook:
        """What a look gives when nobody spoke: nothing need be run for that."""
        return SpeakerLook((), self._enrolment(state.voices), overlap=0.0, unplaced=0.0)

    def embed_frames(self, waveform: Waveform, frames: NDArray[np.bool_]) -> SpeakerEmbedding:
        """The embedding of the marked frames, (589,), of a window, (160000,)."""
        return embed_frames(self._embedding, waveform, frames)

    def _enrolment(self, voices: Sequence[Voice]) -> float:
        candidate = next((v for v in voices if v.number == CANDIDATE), None)
        if candidate is None:
            return 0.0
        return 1.0 if candidate.given else min(1.0, candidate.seconds / self.settings.enrolment)

    def _report(self, clusters: Clusters, window: Window, lately: Activity) -> SpeakerLook:
        """What was heard in the frames since the look before."""
        candidate = clusters.candidate
        heard: dict[int, VoiceHeard] = {}
        unplaced = np.zeros(len(lately), np.bool_)
        for speaker, local in enumerate(clusters.local_speakers):
            if local is None or not lately[:, speaker].any():
                continue
            voice = clusters.voice_of(local)
            if voice is None:
                unplaced |= lately[:, speaker]
                continue
            similarity = (
                None
                if voice.number == CANDIDATE or candidate is None
                else float(voice.embedding @ candidate.embedding)
            )
            heard[voice.number] = VoiceHeard(
                voice.number,
                similarity,
                0.0 if voice.number == CANDIDATE else confidence_of_another(similarity),
                window.seconds_alone(speaker),
            )
        return SpeakerLook(
            voices=tuple(heard[number] for number in sorted(heard)),
            enrolment=self._enrolment(clusters.voices),
            overlap=float((lately.sum(axis=1) >= 2).sum() * FRAME_STEP),
            unplaced=float(unplaced.sum() * FRAME_STEP),
        )
