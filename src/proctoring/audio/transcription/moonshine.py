"""Local transcription: Moonshine tiny-en (English), an encoder and an autoregressive decoder.

The networks' contract was read off the files and the publisher's model card (Jeffries et al. 2024,
arXiv 2410.15608): the encoder takes raw samples at 16 kHz and gives a vector of 288 per 384 of them;
the decoder takes one token at a time (1 begins, 2 ends) with the keys and values of what came
before, in 6 layers of 8 heads of 36. It gives no times: those of words are spread over the speech.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.pcm import SAMPLE_RATE, Pcm, Waveform, to_waveform
from proctoring.audio.voice_activity import FRAME, initial_memory, speech_probabilities
from proctoring.models.onnx_runtime import OnnxNetwork, load_onnx_network
from proctoring.models.store import ModelStore
from proctoring.observations import TranscriptObservation, Word

NAME = "moonshine_tiny_en"

_BEGIN, _END = 1, 2
_LAYERS, _HEADS, _HEAD_SIZE = 6, 8, 36
_TOKENS_PER_SECOND = 6.5  # the publisher's bound against endless repetition
_LEAST = SAMPLE_RATE // 10  # shorter sound says nothing, and the encoder's strides need some
_SPACE = "\u2581"  # how the vocabulary writes one
_BYTE = re.compile(r"<<ST_\d+>>|<unk>|</?s>")


class Moonshine:
    """The loaded networks. Shared by all sessions and threads; keeps no state."""

    def __init__(
        self, encoder: OnnxNetwork, decoder: OnnxNetwork, vocabulary: tuple[bytes, ...]
    ) -> None:
        self._encoder = encoder
        self._decoder = decoder
        self._vocabulary = vocabulary

    def transcribe(self, waveform: Waveform) -> str:
        """The words of up to about 20 seconds of speech.

        Args:
            waveform: (n,) at 16 kHz, -1 to 1.
        """
        if len(waveform) < _LEAST:
            return ""
        mask = np.ones((1, len(waveform)), np.int64)
        (hidden,) = self._encoder(input_values=waveform[None], attention_mask=mask)
        empty = np.zeros((1, _HEADS, 0, _HEAD_SIZE), np.float32)
        past = {
            f"past_key_values.{layer}.{side}.{part}": empty
            for layer in range(_LAYERS)
            for side in ("decoder", "encoder")
            for part in ("key", "value")
        }
        tokens: list[int] = []
        last = _BEGIN
        for _ in range(int(len(waveform) / SAMPLE_RATE * _TOKENS_PER_SECOND) + 4):
            cached = last != _BEGIN
            outputs = self._decoder.run_named(
                {
                    "input_ids": np.array([[last]], np.int64),
                    "encoder_hidden_states": hidden,
                    "encoder_attention_mask": mask,
                    "use_cache_branch": np.array([cached]),
                    **past,
                }
            )
            last = int(outputs[0][0, -1].argmax())
            if last == _END:
                break
            tokens.append(last)
            for name, values in zip(self._decoder.output_names[1:], outputs[1:], strict=True):
                # The encoder's side never changes; once cached the network gives it empty.
                if not cached or ".decoder." in name:
                    past[name.replace("present", "past_key_values")] = values
        text = b"".join(self._vocabulary[token] for token in tokens).decode("utf-8", "replace")
        return _BYTE.sub("", text).replace(_SPACE, " ").strip()


def load_moonshine(store: ModelStore) -> Moonshine:
    """Load the networks once per process.

    Raises:
        ModelUnavailableError: they cannot be had or read.
    """
    encoder = store.fetch(NAME)
    return Moonshine(
        load_onnx_network(encoder),
        load_onnx_network(encoder.with_name("decoder_model_merged.ort")),
        _read_vocabulary(encoder.with_name("tokenizer.bin")),
    )


def _read_vocabulary(path: Path) -> tuple[bytes, ...]:
    """Tokens one after another, each after its length: one byte, or two from 128 on."""
    data = path.read_bytes()
    tokens, at = [], 0
    while at < len(data):
        length = data[at]
        at += 1
        if length >= 128:
            length = data[at] * 128 + length - 128
            at += 1
        tokens.append(data[at : at + length])
        at += length
    return tuple(tokens)


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


def spread_words(text: str, spoken: NDArray[np.bool_], begin: float) -> tuple[Word, ...]:
    """Words over the frames of an utterance that are speech, each as long as its letters.

    Args:
        text: the words.
        spoken: (frames,) which frames of 32 ms are speech; at least one is.
        begin: media time of the first frame.
    """
    said = text.split()
    weights = np.array([len(word) + 1 for word in said], np.float64)
    edges = np.concatenate([[0.0], np.cumsum(weights) / weights.sum()])
    voiced = np.flatnonzero(spoken)
    last = len(voiced) - 1
    seconds = FRAME / SAMPLE_RATE
    words = []
    for index, word in enumerate(said):
        first = voiced[min(int(edges[index] * len(voiced)), last)]
        final = voiced[min(max(int(np.ceil(edges[index + 1] * len(voiced))) - 1, 0), last)]
        start = begin + float(first) * seconds
        words.append(Word(word, start, max(begin + float(final + 1) * seconds, start)))
    return tuple(words)


def _frames(seconds: float) -> int:
    return max(1, round(seconds * SAMPLE_RATE / FRAME))
