"""One session's audio to words, through Moonshine: one utterance at a time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.pcm import SAMPLE_RATE, Pcm, to_waveform
from proctoring.audio.transcription.moonshine.network import NAME, Moonshine
from proctoring.audio.transcription.moonshine.words import spread_words
from proctoring.audio.voice_activity import FRAME, initial_memory, speech_probabilities
from proctoring.models.onnx_runtime import OnnxNetwork
from proctoring.observations import TranscriptObservation


@dataclass(frozen=True, slots=True)
class MoonshineSettings:
    """Tunables of the local transcription."""

    interim: float = 0.0
    """Seconds of new speech after which unfinished words are given too; 0: never. Each time all of
    the utterance is read again, so lowering it costs more."""
    pause: float = 0.6
    """Silence that ends an utterance. Raising it gives whole sentences, later."""
    longest: float = 12.0
    """Speech after which an utterance is cut at its quietest moment of the last three seconds."""
    lead: float = 0.25
    """Sound kept from before the speech begins, and after it ends."""


class MoonshineStream:
    """One session's words.

    Args:
        moonshine: the shared networks.
        voice_activity: Silero, to find utterances by.
        start: media time of the first sample.
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
        self._heard = 0  # samples taken through voice activity, gaps included
        self._pending: Pcm = np.zeros(0, np.int16)
        self._memory = initial_memory()
        self._kept: Pcm = np.zeros(0, np.int16)  # the utterance, or the lead before one
        self._spoken = np.zeros(0, np.bool_)  # per frame of the utterance; empty: none begun
        self._likely = np.zeros(0, np.float32)
        self._given = 0

    @property
    def trouble(self) -> str:
        """Nothing stands in its way."""
        return ""

    @property
    def lost_seconds(self) -> float:
        """It takes what it is given."""
        return 0.0

    def push(self, samples: Pcm) -> tuple[TranscriptObservation, ...]:
        """Take in sound; give the utterances that are now complete."""
        self._pending = np.concatenate([self._pending, samples])
        whole = len(self._pending) // FRAME * FRAME
        now, self._pending = self._pending[:whole], self._pending[whole:]
        if not whole:
            return ()
        likely, self._memory = speech_probabilities(
            self._voice_activity, to_waveform(now), self._memory
        )
        found: list[TranscriptObservation] = []
        for index, probability in enumerate(likely):
            found += self._take(now[index * FRAME : (index + 1) * FRAME], float(probability))
        return tuple(found)

    def gap(self, seconds: float) -> tuple[TranscriptObservation, ...]:
        """Sound is missing: what was being said ends here."""
        found = self.flush()
        self._heard += round(max(0.0, seconds) * SAMPLE_RATE)
        return found

    def flush(self) -> tuple[TranscriptObservation, ...]:
        """Give what is being said as it stands."""
        self._heard += len(self._pending)
        self._kept = np.concatenate([self._kept, self._pending])
        self._pending = np.zeros(0, np.int16)
        self._memory = initial_memory()
        found = self._finish(len(self._spoken)) if self._spoken.any() else ()
        self._forget()
        return found

    def close(self) -> tuple[TranscriptObservation, ...]:
        """The same as ``flush``: nothing is held open."""
        return self.flush()

    def drain(self) -> tuple[TranscriptObservation, ...]:
        """``close`` gave everything."""
        return ()

    def _take(self, frame: Pcm, likely: float) -> tuple[TranscriptObservation, ...]:
        settings = self._settings
        self._heard += FRAME
        self._kept = np.concatenate([self._kept, frame])
        speech = likely >= 0.5
        if not len(self._spoken):
            if not speech:
                self._kept = self._kept[-_frames(settings.lead) * FRAME :]
                return ()
            self._spoken = np.zeros(len(self._kept) // FRAME - 1, np.bool_)
            self._likely = np.zeros(len(self._spoken), np.float32)
        self._spoken = np.append(self._spoken, speech)
        self._likely = np.append(self._likely, np.float32(likely))
        if not self._spoken[-_frames(settings.pause) :].any():
            return self._finish(len(self._spoken))
        if len(self._spoken) >= _frames(settings.longest):
            late = _frames(settings.longest - 3.0)
            return self._finish(late + int(self._likely[late:].argmin()) + 1)
        due = len(self._spoken) - self._given >= _frames(settings.interim)
        if settings.interim > 0 and due and speech:
            self._given = len(self._spoken)
            return self._transcribed(self._kept, self._spoken, self._begin(), final=False)
        return ()

    def _finish(self, frames: int) -> tuple[TranscriptObservation, ...]:
        """Give the first ``frames`` of the utterance and keep the rest."""
        begin, cut = self._begin(), frames * FRAME
        sound, spoken = self._kept[:cut], self._spoken[:frames]
        if frames == len(self._spoken):
            sound = self._kept
        rest, rest_spoken, rest_likely = (
            self._kept[cut:],
            self._spoken[frames:],
            self._likely[frames:],
        )
        self._forget()
        if rest_spoken.any():
            self._kept, self._spoken, self._likely = rest, rest_spoken, rest_likely
        return self._transcribed(sound, spoken, begin, final=True)

    def _forget(self) -> None:
        self._kept = self._kept[-_frames(self._settings.lead) * FRAME :]
        self._spoken = np.zeros(0, np.bool_)
        self._likely = np.zeros(0, np.float32)
        self._given = 0

    def _begin(self) -> float:
        return self._start + (self._heard - len(self._kept)) / SAMPLE_RATE

    def _transcribed(
        self, sound: Pcm, spoken: NDArray[np.bool_], begin: float, *, final: bool
    ) -> tuple[TranscriptObservation, ...]:
        voiced = np.flatnonzero(spoken)
        if not len(voiced):
            return ()
        end = min(len(sound), (int(voiced[-1]) + 1) * FRAME + _frames(self._settings.lead) * FRAME)
        text = self._moonshine.transcribe(to_waveform(sound[:end]))
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
    return max(1, round(seconds * SAMPLE_RATE / FRAME))
