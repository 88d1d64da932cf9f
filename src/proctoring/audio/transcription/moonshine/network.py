"""Moonshine tiny-en (English): an encoder and an autoregressive decoder.

Tensor names and shapes were read from the files and the publisher's model card (Jeffries et al. 2024,
arXiv 2410.15608): the encoder takes raw samples at 16 kHz and returns a vector of 288 per 384 of them;
the decoder takes one token at a time with the keys and values of the previous ones, in 6 layers of 8
heads of 36. The model returns no times of words.
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
"""Tokens."""
_LAYERS, _HEADS, _HEAD_SIZE = 6, 8, 36
_TOKENS_PER_SECOND = 6.5
"""Upper bound against endless repetition, from the publisher."""
_SPARE_TOKENS = 4
"""Beyond that bound, for very short audio."""
_MIN_SAMPLES = SAMPLE_RATE // 10
"""Shorter audio is not transcribed: the encoder's strides need some length."""
_SPACE = "\u2581"
"""In the vocabulary."""
_SPECIAL = re.compile(r"<<ST_\d+>>|<unk>|</?s>")


class Moonshine:
    """The loaded networks. Shared by all sessions and threads; stateless."""

    def __init__(
        self, encoder: OnnxNetwork, decoder: OnnxNetwork, vocabulary: tuple[bytes, ...]
    ) -> None:
        self._encoder = encoder
        self._decoder = decoder
        self._vocabulary = vocabulary

    def transcribe(self, waveform: Waveform) -> str:
        """Transcribe up to about 20 seconds of speech.

        Args:
            waveform: (n,) at 16 kHz, -1 to 1.
        """
        if len(waveform) < _MIN_SAMPLES:
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
        for _ in range(int(len(waveform) / SAMPLE_RATE * _TOKENS_PER_SECOND) + _SPARE_TOKENS):
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
                # The encoder's keys and values never change; once cached, the network returns them empty.
                if not cached or ".decoder." in name:
                    past[name.replace("present", "past_key_values")] = values
        text = b"".join(self._vocabulary[token] for token in tokens).decode("utf-8", "replace")
        return _SPECIAL.sub("", text).replace(_SPACE, " ").strip()


def load_moonshine(store: ModelStore) -> Moonshine:
    """Load the networks once per process.

    Raises:
        ModelUnavailableError: they are unavailable or unreadable.
    """
    encoder = store.fetch(NAME)
    return Moonshine(
        load_onnx_network(encoder),
        load_onnx_network(encoder.with_name("decoder_model_merged.ort")),
        _read_vocabulary(encoder.with_name("tokenizer.bin")),
    )


def _read_vocabulary(path: Path) -> tuple[bytes, ...]:
    """Parse ``tokenizer.bin``: tokens, each preceded by its length in one byte, or two from 128 on."""
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
