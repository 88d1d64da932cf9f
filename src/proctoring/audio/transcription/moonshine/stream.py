"""One session's audio to words, through Moonshine: one utterance at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.pcm import SAMPLE_RATE, Pcm, to_waveform
from proctoring.audio.transcription.moonshine.network import NAME, Moonshine
from proctoring.audio.transcription.moonshine.words import spread_words
from proctoring.audio.voice_activity import (
    FRAME,
    SPEECH_PROBABILITY,
    initial_memory,
    speech_probabilities,
)
from proctoring.models.onnx_runtime import OnnxNetwork
from proctoring.observations import TranscriptObservation

_CUT_WITHIN = 3.0
"""Seconds at the end of an utterance within which it is cut when too long."""


@dataclass(frozen=True, slots=True)
class MoonshineSettings:
    """Tunables of local transcription."""

    interim_period: float = 0.0
    """Seconds of new speech after which an unfinished utterance is transcribed too; 0: never. Each time
    the whole utterance is transcribed again, so lowering it costs more."""
    pause: float = 0.6
    """Seconds of silence that end an utterance. Raising it gives whole sentences, later."""
    max_seconds: float = 12.0
    """Length at which an utterance is cut, at the frame least like speech of its last
    ``_CUT_WITHIN`` seconds."""
    padding: float = 0.25
    """Seconds of audio kept before and after the speech."""


class MoonshineStream:
    """A :class:`~proctoring.audio.transcription.stream.TranscriptionStream` in this process.

    Args:
        moonshine: the shared networks.
        voice_activity: Silero, which delimits utterances.
        start: media time of the first sample, in seconds.
        settings: tunables.
    """

    def __init__(
        self,
        moonshine: Moonshine,
        voice_activity: OnnxNetwork,
        *,
        start: float = 0.0,
        settings: MoonshineSettings | None = None,
    ) -> None:
        self._moonshine = moonshine
        self._voice_activity = voice_activity
        self._settings = settings or MoonshineSettings()
        self._start = start
        self._analysed = 0  # samples that went through voice activity detection, gaps included
        self._pending: Pcm = np.zeros(0, np.int16)
        self._memory = initial_memory()
        self._audio: Pcm = np.zeros(0, np.int16)  # of the utterance, or the padding before one
        self._spoken = np.zeros(0, np.bool_)  # per frame of the utterance; empty: none has begun
        self._probabilities = np.zeros(0, np.float32)  # of speech, per frame
        self._interim_at = 0  # frames of the utterance at its last interim transcript

    @property
    def trouble(self) -> str:
        """Always empty: nothing can fail after loading."""
        return ""

    @property
    def lost_seconds(self) -> float:
        """Always 0: nothing is dropped here."""
        return 0.0

    def push(self, samples: Pcm) -> tuple[TranscriptObservation, ...]:
        """Transcribe audio; returns the utterances that are now complete."""
        self._pending = np.concatenate([self._pending, samples])
        whole = len(self._pending) // FRAME * FRAME
        now, self._pending = self._pending[:whole], self._pending[whole:]
        if not whole:
            return ()
        probabilities, self._memory = speech_probabilities(
            self._voice_activity, to_waveform(now), self._memory
        )
        found: list[TranscriptObservation] = []
        for index, probability in enumerate(probabilities):
            found += self._append(now[index * FRAME : (index + 1) * FRAME], float(probability))
        return tuple(found)

    def gap(self, seconds: float) -> tuple[TranscriptObservation, ...]:
        """Audio is missing: an utterance ends here."""
        found = self.flush()
        self._analysed += round(max(0.0, seconds) * SAMPLE_RATE)
        return found

    def flush(self) -> tuple[TranscriptObservation, ...]:
        """Transcribe an unfinished utterance."""
        self._analysed += len(self._pending)
        self._audio = np.concatenate([self._audio, self._pending])
        self._pending = np.zeros(0, np.int16)
        self._memory = initial_memory()
        found = self._finish(len(self._spoken)) if self._spoken.any() else ()
        self._reset()
        return found

    def close(self) -> tuple[TranscriptObservation, ...]:
        """The same as ``flush``."""
        return self.flush()

    def drain(self) -> tuple[TranscriptObservation, ...]:
        """Always empty: ``close`` returned everything."""
        return ()

    def _append(self, frame: Pcm, probability: float) -> tuple[TranscriptObservation, ...]:
        settings = self._settings
        self._analysed += FRAME
        self._audio = np.concatenate([self._audio, frame])
        speech = probability >= SPEECH_PROBABILITY
        if not len(self._spoken):
            if not speech:
                self._audio = self._audio[-_frames(settings.padding) * FRAME :]
                return ()
            self._spoken = np.zeros(len(self._audio) // FRAME - 1, np.bool_)
            self._probabilities = np.zeros(len(self._spoken), np.float32)
        self._spoken = np.append(self._spoken, speech)
        self._probabilities = np.append(self._probabilities, np.float32(probability))
        if not self._spoken[-_frames(settings.pause) :].any():
            return self._finish(len(self._spoken))
        if len(self._spoken) >= _frames(settings.max_seconds):
            late = _frames(settings.max_seconds - _CUT_WITHIN)
            return self._finish(late + int(self._probabilities[late:].argmin()) + 1)
        due = len(self._spoken) - self._interim_at >= _frames(settings.interim_period)
        if settings.interim_period > 0 and due and speech:
            self._interim_at = len(self._spoken)
            return self._transcribed(self._audio, self._spoken, self._begin(), final=False)
        return ()

    def _finish(self, frames: int) -> tuple[TranscriptObservation, ...]:
        """Transcribe the first ``frames`` of the utterance and keep the rest."""
        begin, cut = self._begin(), frames * FRAME
        audio, spoken = self._audio[:cut], self._spoken[:frames]
        if frames == len(self._spoken):
            audio = self._audio
        rest, rest_spoken, rest_probabilities = (
            self._audio[cut:],
            self._spoken[frames:],
            self._probabilities[frames:],
        )
        self._reset()
        if rest_spoken.any():
            self._audio, self._spoken, self._probabilities = rest, rest_spoken, rest_probabilities
        return self._transcribed(audio, spoken, begin, final=True)

    def _reset(self) -> None:
        self._audio = self._audio[-_frames(self._settings.padding) * FRAME :]
        self._spoken = np.zeros(0, np.bool_)
        self._probabilities = np.zeros(0, np.float32)
        self._interim_at = 0

    def _begin(self) -> float:
        return self._start + (self._analysed - len(self._audio)) / SAMPLE_RATE

    def _transcribed(
        self, audio: Pcm, spoken: NDArray[np.bool_], begin: float, *, final: bool
    ) -> tuple[TranscriptObservation, ...]:
        voiced = np.flatnonzero(spoken)
        if not len(voiced):
            return ()
        end = min(
            len(audio), (int(voiced[-1]) + 1) * FRAME + _frames(self._settings.padding) * FRAME
        )
        text = self._moonshine.transcribe(to_waveform(audio[:end]))
        if not text:
            return ()
        words = spread_words(text, spoken, begin)
        return (
            TranscriptObservation(
                time=words[-1].end,
                start=words[0].start,
                text=text,
                words=words,
                final=final,
                transcriber=NAME,
                times_estimated=True,
            ),
        )


def _frames(seconds: float) -> int:
    """Frames of voice activity in so many seconds; at least one."""
    return max(1, round(seconds * SAMPLE_RATE / FRAME))
