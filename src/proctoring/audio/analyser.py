"""One session's audio to observations.

An ``AudioAnalyser`` belongs to one session and is called from one thread at a time.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.diarization.state import DiarizationState, with_reference
from proctoring.audio.embedding import SpeakerEmbedding
from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import SAMPLE_RATE, Pcm, level_dbfs, to_pcm, to_waveform
from proctoring.audio.segmentation import WINDOW, FilterCache
from proctoring.audio.state import AudioSnapshot, AudioState, Voices
from proctoring.audio.voice_activity import FRAME as VOICE_FRAME
from proctoring.audio.voice_activity import (
    SPEECH_PROBABILITY,
    initial_memory,
    speech_probabilities,
)
from proctoring.observations import AudioObservation, DiarizationResult, NotRead

STEP = SAMPLE_RATE // 2
"""Samples per observation: half a second."""
_DIARIZATION_STEPS = 2
"""Observations from one diarization to the next, so one a second: embeddings need a second of speech
(``docs/accuracy.md``), and each diarization costs a segmentation (``docs/benchmarks.md``)."""
_PAUSE_FRAMES = 8
"""Frames of voice activity (a quarter of a second) without speech after which another speaker may
have taken the turn."""
_DIARIZATION_PROBABILITY = 0.3
"""Speech probability of a frame from which speakers are diarized. Lower than ``SPEECH_PROBABILITY``:
distant voices score lower than near ones."""


class AudioAnalyser:
    """Analyses one session's audio. Observations do not depend on how the audio was cut into pieces.

    Args:
        models: the shared networks.
        start: media time of the first sample, in seconds.
    """

    def __init__(self, models: AudioModels, *, start: float = 0.0) -> None:
        self._models = models
        self._start = start
        self._analysed = 0  # samples since the start, gaps included
        self._pending = np.zeros(0, np.int16)
        self._window: Pcm = np.zeros(WINDOW, np.int16)
        self._filtered = FilterCache()
        self._memory = initial_memory()
        self._partial: Pcm = np.zeros(0, np.int16)  # less than a frame of voice activity
        self._silent = False  # nothing but zeros in the last step
        self._speech_possible = False  # since the last diarization
        self._speech = 0.0  # seconds of speech since the last diarization
        self._pause = 0  # frames of voice activity since the last with possible speech
        self._steady = False  # one known speaker alone at the last diarization, and no pause since
        self._steps_left = _DIARIZATION_STEPS
        self._diarization = DiarizationState()

    @property
    def time(self) -> float:
        """Media time of the next sample, in seconds."""
        return self._at(self._analysed + len(self._pending))

    def snapshot(self) -> AudioSnapshot:
        """What another process needs to go on after the last whole step. Takes microseconds: nothing
        is copied, and what it holds no longer changes."""
        found = self._diarization
        state = AudioState(
            start=self._start,
            analysed=self._analysed,
            memory=self._memory,
            partial=self._partial,
            silent=self._silent,
            speech_possible=self._speech_possible,
            speech=self._speech,
            pause=self._pause,
            steady=self._steady,
            steps_left=self._steps_left,
            separated_at=found.separated_at,
            compared_at=found.compared_at,
            diarized_at=found.time,
        )
        return AudioSnapshot(state, Voices(found.speakers))

    def restore(self, state: AudioState, voices: Voices) -> None:
        """Have a new analyser go on from a snapshot, with silence in place of the ten seconds before
        it. Its next sample is the one at ``state.time``.

        Args:
            state: of a snapshot.
            voices: of that snapshot or an earlier one; without any, voices are learned anew.
        """
        self._start, self._analysed = state.start, state.analysed
        self._memory, self._partial = state.memory, state.partial
        self._silent, self._speech_possible = state.silent, state.speech_possible
        self._speech, self._pause = state.speech, state.pause
        self._steady, self._steps_left = state.steady, state.steps_left
        self._diarization = DiarizationState(
            speakers=voices.speakers,
            separated_at=state.separated_at,
            compared_at=state.compared_at,
            time=state.diarized_at,
        )

    def set_reference(self, embeddings: tuple[SpeakerEmbedding, ...], seconds: float) -> None:
        """Set the candidate's voice (see ``speaker_reference``). No effect without diarization.

        Args:
            embeddings: of the reference recording.
            seconds: speech in them.
        """
        if self._models.speakers is not None:
            self._diarization = with_reference(
                self._diarization,
                embeddings,
                seconds,
                self._models.speakers.settings.join_similarity,
            )

    def push(
        self, samples: NDArray[np.int16] | NDArray[np.float32]
    ) -> tuple[AudioObservation, ...]:
        """Analyse audio that follows the audio before, of any length.

        Args:
            samples: (n,) at 16 kHz, 16 bit or -1 to 1.

        Returns:
            One observation per half second that is now complete.
        """
        self._pending = np.concatenate([self._pending, to_pcm(samples)])
        observations = []
        while len(self._pending) >= STEP:
            step, self._pending = self._pending[:STEP], self._pending[STEP:]
            observations.append(self._analyse(step))
        return tuple(observations)

    def flush(self) -> tuple[AudioObservation, ...]:
        """The observation of the rest, less than half a second, if there is any."""
        rest, self._pending = self._pending, np.zeros(0, np.int16)
        return (self._analyse(rest),) if len(rest) else ()

    def gap(self, seconds: float) -> tuple[AudioObservation, ...]:
        """Audio of this length is missing; media time goes on.

        Returns:
            The observation of the rest before the gap, if any, and one of the gap.
        """
        missing = round(max(0.0, seconds) * SAMPLE_RATE)
        if not missing:
            return ()
        before = self.flush()
        self._analysed += missing
        self._append(np.zeros(min(missing, WINDOW), np.int16))
        self._memory = initial_memory()
        self._partial = np.zeros(0, np.int16)
        self._speech_possible = self._steady = False
        self._pause, self._speech = 0, 0.0
        self._steps_left = _DIARIZATION_STEPS
        reason = f"{seconds:.1f} s of audio are missing"
        lost = AudioObservation(
            time=self._at(self._analysed),
            duration=missing / SAMPLE_RATE,
            speech=None,
            level=None,
            diarization=None,
            not_read=(NotRead("audio", reason),),
        )
        return (*before, lost)

    def _at(self, samples: int) -> float:
        return self._start + samples / SAMPLE_RATE

    def _append(self, samples: Pcm) -> None:
        self._window = np.concatenate([self._window[len(samples) :], samples])

    def _analyse(self, step: Pcm) -> AudioObservation:
        self._analysed += len(step)
        self._append(step)
        time = self._at(self._analysed)
        speech = self._detect_speech(step)
        missing = tuple(
            NotRead(capability.name, capability.reason)
            for capability in self._models.capabilities
            if not capability.available
        )
        return AudioObservation(
            time=time,
            duration=len(step) / SAMPLE_RATE,
            speech=speech,
            level=level_dbfs(step),
            diarization=self._diarize(),
            not_read=missing,
        )

    def _detect_speech(self, step: Pcm) -> float | None:
        """Share of the step's frames with speech, 0 to 1."""
        if self._models.voice_activity is None:
            return None
        samples = np.concatenate([self._partial, step])
        whole = len(samples) // VOICE_FRAME * VOICE_FRAME
        self._partial = samples[whole:]
        before, self._silent = self._silent, not step.any()
        if before and self._silent:  # a muted microphone: the network has forgotten what was before
            probabilities = np.zeros(whole // VOICE_FRAME, np.float32)
        else:
            probabilities, self._memory = speech_probabilities(
                self._models.voice_activity, to_waveform(samples[:whole]), self._memory
            )
        if not len(probabilities):
            return 0.0
        for possible in probabilities >= _DIARIZATION_PROBABILITY:
            self._speech_possible = self._speech_possible or bool(possible)
            self._pause = 0 if possible else self._pause + 1
            self._steady = self._steady and self._pause < _PAUSE_FRAMES
        speech = probabilities >= SPEECH_PROBABILITY
        self._speech += float(speech.sum()) * VOICE_FRAME / SAMPLE_RATE
        return float(speech.mean())

    def _diarize(self) -> DiarizationResult | None:
        """Who spoke since the last diarization; ``None`` when it is not due."""
        diarizer = self._models.speakers
        if diarizer is None:
            return None
        self._steps_left -= 1
        if self._steps_left > 0:
            return None
        self._steps_left = _DIARIZATION_STEPS
        if self._steady:
            # Speakers mostly change at pauses: without one, every other diarization is skipped.
            self._steady = False
            return None
        possible, self._speech_possible = self._speech_possible, False
        if not possible:
            self._speech = 0.0
            self._filtered.drop(self._analysed)
            return diarizer.no_speech(self._diarization)
        speech, self._speech = self._speech, 0.0
        self._diarization, found = diarizer.diarize(
            self._diarization,
            to_waveform(self._window),
            self._at(self._analysed),
            speech=speech,
            cache=self._filtered,
            end=self._analysed,
        )
        if found.unassigned:
            self._steps_left = 1
        alone = len(found.speakers) == 1 and not found.unassigned and found.enrolment == 1.0
        self._steady = alone and self._pause < _PAUSE_FRAMES
        return found
