"""Local transcription: Moonshine tiny-en (English), an encoder and an autoregressive decoder.

The networks' contract was read off the files and the publisher's model card (Jeffries et al. 2024,
arXiv 2410.15608): the encoder takes raw samples at 16 kHz and gives a vector of 288 per 384 of them;
the decoder takes one token at a time (1 begins, 2 ends) with the keys and values of what came
before, in 6 layers of 8 heads of 36. It gives no times: those of words are spread over the speech.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from proctoring.audio.pcm import SAMPLE_RATE, Waveform
from proctoring.models.onnx_runtime import OnnxNetwork, load_onnx_network
from proctoring.models.store import ModelStore

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
