"""One session's sound to observations.

``AudioModels`` are loaded once per process and shared by all threads. An ``AudioAnalyser`` belongs
to one session, is called from one thread at a time, and keeps small state; what of it outlives a
failover (:class:`AudioState`) holds no sound.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.diarization.online import SpeakerDetector
from proctoring.audio.diarization.settings import SpeakerSettings
from proctoring.audio.diarization.state import SpeakerState, with_candidate
from proctoring.audio.diarization.voice import CANDIDATE, Voice
from proctoring.audio.embedding import SpeakerEmbedding
from proctoring.audio.pcm import SAMPLE_RATE, Pcm, Waveform, level_dbfs, to_pcm, to_waveform
from proctoring.audio.segmentation import WINDOW
from proctoring.audio.voice_activity import FRAME as VOICE_FRAME
from proctoring.audio.voice_activity import initial_memory, speech_probabilities
from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.onnx_runtime import OnnxNetwork, load_onnx_network
from proctoring.models.store import ModelStore
from proctoring.observations import NotRead, SoundObservation, SpeakerLook

VOICE_ACTIVITY = "silero_vad"
SEGMENTATION = "speaker_segmentation"
EMBEDDING = "speaker_embedding"

STRETCH = SAMPLE_RATE // 2
"""Samples in one observation."""
LOOK_EVERY = 2
"""Stretches from one look at the speakers to the next."""
PAUSE = 8
"""Frames of voice activity (a quarter of a second) after which whoever speaks may be another."""
SPEECH_PROBABILITY = 0.5
"""What Silero must give for a frame to count as speech (its authors' default)."""
STIR_PROBABILITY = 0.3
"""What is enough to look at the speakers: a far voice is heard worse than a near one."""


@dataclass(frozen=True, slots=True)
class AudioModels:
    """What this process can hear with. What is ``None`` is off; ``capabilities`` say why."""

    voice_activity: OnnxNetwork | None
    speakers: SpeakerDetector | None
    capabilities: tuple[Capability, ...]


def load_audio_models(store: ModelStore, settings: SpeakerSettings | None = None) -> AudioModels:
    """Load the networks once per process; what cannot be had is off, named with the reason."""
    voice_activity, speakers, no_speech, no_speakers = None, None, "", ""
    try:
        voice_activity = load_onnx_network(store.fetch(VOICE_ACTIVITY))
    except ModelUnavailableError as error:
        no_speech = error.detail
        no_speakers = f"needs voice activity: {error.detail}"
    if voice_activity is not None:
        try:
            speakers = SpeakerDetector(
                load_onnx_network(store.fetch(SEGMENTATION)),
                load_onnx_network(store.fetch(EMBEDDING), laid_out_anew=True),
                settings,
            )
        except ModelUnavailableError as error:
            no_speakers = error.detail
    return AudioModels(
        voice_activity,
        speakers,
        (
            Capability("speech", voice_activity is not None, no_speech, VOICE_ACTIVITY),
            Capability("speakers", speakers is not None, no_speakers, SEGMENTATION),
        ),
    )


@dataclass(frozen=True, slots=True)
class AudioState:
    """What of a session's hearing can be saved and restored: plain numbers, no sound."""

    time: float
    """Media time up to which everything was heard."""
    voices: tuple[tuple[int, tuple[float, ...], float, tuple[tuple[float, ...], ...]], ...]
    """Number, speaker embedding (256 numbers), seconds of speech that went into it, example embeddings."""
    given: float = 0.0
    """Of the candidate's seconds, those that were given before the session."""


class AudioAnalyser:
    """Hears one session's sound. Observations do not depend on how the sound was cut into pieces.

    Args:
        models: the shared networks.
        start: media time of the first sample, in seconds.
        state: where a session left off; its voices are known again. Sound goes on at
            ``state.time``, unless ``start`` says otherwise.
    """

    def __init__(
        self,
        models: AudioModels,
        *,
        start: float | None = None,
        state: AudioState | None = None,
    ) -> None:
        self._models = models
        if start is None:
            start = state.time if state else 0.0
        self._start = start
        self._heard = 0  # samples since the start, gaps included
        self._pending = np.zeros(0, np.int16)
        self._window: Pcm = np.zeros(WINDOW, np.int16)
        self._memory = initial_memory()
        self._unheard: Waveform = np.zeros(0, np.float32)  # less than a frame of voice activity
        self._stirred = False
        self._speech = 0.0  # seconds since the last look
        self._quiet = 0  # frames of voice activity since the last that stirred
        self._steady = False  # one known voice alone at the last look, and no pause since
        self._until_look = LOOK_EVERY
        self._speakers = SpeakerState(
            voices=tuple(
                Voice(
                    number,
                    np.asarray(embedding, np.float32),
                    seconds,
                    tuple(np.asarray(example, np.float32) for example in examples),
                    state.given if state and number == CANDIDATE else 0.0,
                )
                for number, embedding, seconds, examples in (state.voices if state else ())
            )
        )

    @property
    def time(self) -> float:
        """Media time of the next sample."""
        return self._at(self._heard + len(self._pending))

    @property
    def state(self) -> AudioState:
        """What to save so that another process can go on."""
        return AudioState(
            self.time,
            tuple(
                (
                    voice.number,
                    tuple(voice.embedding.tolist()),
                    voice.seconds,
                    tuple(tuple(example.tolist()) for example in voice.examples),
                )
                for voice in self._speakers.voices
            ),
            sum(voice.given for voice in self._speakers.voices),
        )

    def know(self, embeddings: tuple[SpeakerEmbedding, ...], seconds: float) -> None:
        """The candidate's voice is given (see ``voice_reference``). Does nothing where voices are off."""
        if self._models.speakers is not None:
            join = self._models.speakers.settings.join
            self._speakers = with_candidate(self._speakers, embeddings, seconds, join)

    def push(
        self, samples: NDArray[np.int16] | NDArray[np.float32]
    ) -> tuple[SoundObservation, ...]:
        """Take in sound that follows what came before, any amount of it.

        Args:
            samples: (n,) at 16 kHz, 16 bit or -1 to 1.

        Returns:
            One observation per half second that is now complete.
        """
        self._pending = np.concatenate([self._pending, to_pcm(samples)])
        observations = []
        while len(self._pending) >= STRETCH:
            stretch, self._pending = self._pending[:STRETCH], self._pending[STRETCH:]
            observations.append(self._hear(stretch))
        return tuple(observations)

    def flush(self) -> tuple[SoundObservation, ...]:
        """The observation of what is left, less than half a second of it, if anything is."""
        stretch, self._pending = self._pending, np.zeros(0, np.int16)
        return (self._hear(stretch),) if len(stretch) else ()

    def gap(self, seconds: float) -> tuple[SoundObservation, ...]:
        """Sound of that length is missing here; media time goes on.

        Returns:
            The observation of what came just before, if any, and one that says what is missing.
        """
        missing = round(max(0.0, seconds) * SAMPLE_RATE)
        if not missing:
            return ()
        before = self.flush()
        self._heard += missing
        self._remember(np.zeros(min(missing, WINDOW), np.int16))
        self._memory = initial_memory()
        self._unheard = np.zeros(0, np.float32)
        self._stirred = self._steady = False
        self._quiet, self._speech = 0, 0.0
        self._until_look = LOOK_EVERY
        reason = f"{seconds:.1f} s of sound are missing"
        lost = SoundObservation(
            time=self._at(self._heard),
            span=missing / SAMPLE_RATE,
            speech=None,
            level=None,
            speakers=None,
            not_read=(NotRead("sound", reason),),
        )
        return (*before, lost)

    def _at(self, samples: int) -> float:
        return self._start + samples / SAMPLE_RATE

    def _remember(self, samples: Pcm) -> None:
        self._window = np.concatenate([self._window[len(samples) :], samples])

    def _hear(self, stretch: Pcm) -> SoundObservation:
        self._heard += len(stretch)
        self._remember(stretch)
        time = self._at(self._heard)
        speech = self._listen_for_speech(stretch)
        missing = tuple(
            NotRead(capability.name, capability.reason)
            for capability in self._models.capabilities
            if not capability.available
        )
        return SoundObservation(
            time=time,
            span=len(stretch) / SAMPLE_RATE,
            speech=speech,
            level=level_dbfs(stretch),
            speakers=self._listen_for_speakers(time),
            not_read=missing,
        )

    def _listen_for_speech(self, stretch: Pcm) -> float | None:
        if self._models.voice_activity is None:
            return None
        waveform = np.concatenate([self._unheard, to_waveform(stretch)])
        whole = len(waveform) // VOICE_FRAME * VOICE_FRAME
        self._unheard = waveform[whole:]
        probabilities, self._memory = speech_probabilities(
            self._models.voice_activity, waveform[:whole], self._memory
        )
        if not len(probabilities):
            return 0.0
        for stirs in probabilities >= STIR_PROBABILITY:
            self._stirred = self._stirred or bool(stirs)
            self._quiet = 0 if stirs else self._quiet + 1
            self._steady = self._steady and self._quiet < PAUSE
        speaks = probabilities >= SPEECH_PROBABILITY
        self._speech += float(speaks.sum()) * VOICE_FRAME / SAMPLE_RATE
        return float(speaks.mean())

    def _listen_for_speakers(self, time: float) -> SpeakerLook | None:
        detector = self._models.speakers
        if detector is None:
            return None
        self._until_look -= 1
        if self._until_look > 0:
            return None
        self._until_look = LOOK_EVERY
        if self._steady:
            # Voices mostly change at pauses: who talks on without one is looked at half as often.
            self._steady = False
            return None
        stirred, self._stirred = self._stirred, False
        if not stirred:
            self._speech = 0.0
            return detector.silence(self._speakers)
        window, speech, self._speech = to_waveform(self._window), self._speech, 0.0
        self._speakers, look = detector.look(self._speakers, window, time, speech=speech)
        if look.unplaced:
            self._until_look = 1
        alone = len(look.voices) == 1 and not look.unplaced and look.enrolment == 1.0
        self._steady = alone and self._quiet < PAUSE
        return look
