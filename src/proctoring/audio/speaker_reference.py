"""The candidate's voice from a recording made beforehand, kept as speaker embeddings only."""

from __future__ import annotations

import io
import time
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from proctoring.audio.embedding import SpeakerEmbedding
from proctoring.audio.networks import AudioModels
from proctoring.audio.pcm import SAMPLE_RATE, Pcm, to_waveform
from proctoring.audio.segmentation import FRAME_STEP, LOCAL_SPEAKERS, WINDOW, segment
from proctoring.audio.voice_activity import (
    SPEECH_PROBABILITY,
    initial_memory,
    speech_probabilities,
)
from proctoring.errors import BadVoiceError, ModelUnavailableError

if TYPE_CHECKING:
    import av

MIN_SPEECH = 3.0
"""Seconds in which the candidate is the only speaker that a reference needs."""
MAX_SECONDS = 60.0
"""Seconds that a reference may last."""
MAX_REFERENCE_BYTES = 6 << 20
"""Size of a reference file: a minute at 48 kHz, 16 bit, mono."""
_RATES = range(8_000, 192_001)
"""Sample rates that a reference may have, in Hz."""
_MAX_CHANNELS = 8
_MAX_DECODING = 10.0
"""Seconds of processor time in which a reference must be decoded. A minute takes 0.1 s."""
_DECODERS = frozenset(
    {"aac", "flac", "libopus", "libvorbis", "mp3", "mp3float", "opus", "vorbis"}
    | {
        f"pcm_{name}"
        for name in ("alaw", "f32le", "f64le", "mulaw", "s16le", "s24le", "s32le", "u8")
    }
)
"""The only decoders that FFmpeg may use: in particular none of pictures, which it would also decode to
describe the file's streams."""
EMBEDDING_SECONDS = 3.0
"""Speech per embedding, about."""
MIN_EMBEDDING_SECONDS = 1.5
"""Speech from which an embedding is used."""
MIN_SIMILARITY = 0.30
"""Least cosine of two embeddings of one recording; below, two people speak in it. Chosen with
``evaluation/given_voice.py``, see ``docs/accuracy.md``."""

_FORMATS = {b"RIFF": "wav", b"fLaC": "flac", b"OggS": "ogg", b"\x1aE\xdf\xa3": "matroska"}
"""First four bytes to FFmpeg's reader. Only the named reader is tried: uploads must not reach the
many other formats that FFmpeg can parse."""


@dataclass(frozen=True, slots=True, eq=False)
class SpeakerReference:
    """What is kept of a reference recording."""

    embeddings: tuple[SpeakerEmbedding, ...]
    seconds: float
    """Speech in them."""


def decode_reference(data: bytes) -> Pcm:
    """Decode a WAV, FLAC, Ogg or WebM file to mono at 16 kHz.

    Raises:
        BadVoiceError: another format, too large, damaged or too long.
    """
    if len(data) > MAX_REFERENCE_BYTES:
        raise BadVoiceError(
            f"the recording has {len(data)} bytes, {MAX_REFERENCE_BYTES} are allowed"
        )
    reader = _FORMATS.get(data[:4])
    if reader is None:
        raise BadVoiceError("not an audio file: WAV, FLAC, Ogg or WebM is needed")
    # Not before it is needed: FFmpeg takes 18 MiB.
    import av

    from proctoring.audio.recording import resampled

    pieces, samples = [np.zeros(0, np.int16)], 0
    until = time.thread_time() + _MAX_DECODING
    try:
        with av.open(
            io.BytesIO(data),
            "r",
            format=reader,
            metadata_errors="ignore",
            options={"codec_whitelist": ",".join(sorted(_DECODERS))},
        ) as container:
            if not container.streams.audio:
                raise BadVoiceError("the file has no audio track")
            if container.streams.audio[0].codec_context.name not in _DECODERS:
                raise BadVoiceError("the audio's coding is none of those that browsers record in")
            resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
            for frame in container.decode(audio=0):
                _check_format(frame)
                if time.thread_time() > until:
                    raise BadVoiceError("the recording takes too long to decode")
                frame.pts = None
                for chunk in resampled(resampler, frame, 0.0):
                    pieces.append(chunk.samples)
                    samples += len(chunk.samples)
                if samples > MAX_SECONDS * SAMPLE_RATE:
                    raise BadVoiceError(f"the recording is longer than {MAX_SECONDS:.0f} s")
            pieces += [chunk.samples for chunk in resampled(resampler, None, 0.0)]
    except (av.FFmpegError, ValueError) as error:
        raise BadVoiceError("the audio file is damaged, or its format is unknown") from error
    return np.concatenate(pieces)


def _check_format(frame: av.AudioFrame) -> None:
    channels = frame.layout.nb_channels
    if frame.sample_rate not in _RATES or channels > _MAX_CHANNELS:
        raise BadVoiceError(
            f"the recording has {frame.sample_rate} Hz and {channels} channels; 8 to 192 kHz and up "
            f"to {_MAX_CHANNELS} channels can be used"
        )


def analyse_reference(models: AudioModels, samples: Pcm) -> SpeakerReference:
    """The embeddings of a recording in which only the candidate speaks. Blocks for seconds.

    Raises:
        BadVoiceError: no speech, too little, or more than one speaker.
        ModelUnavailableError: the audio networks are not loaded.
    """
    diarizer, voice_activity = models.speakers, models.voice_activity
    if diarizer is None or voice_activity is None:
        reason = next((c.reason for c in models.capabilities if not c.available), "")
        raise ModelUnavailableError(f"voices cannot be told apart here: {reason}")
    waveform = to_waveform(samples)
    probabilities, _ = speech_probabilities(voice_activity, waveform, initial_memory())
    if not (probabilities >= SPEECH_PROBABILITY).any():
        raise BadVoiceError("nobody speaks in the recording")
    embeddings: list[SpeakerEmbedding] = []
    seconds = 0.0
    for start in range(0, len(waveform), WINDOW):
        window = np.zeros(WINDOW, np.float32)
        piece = waveform[start : start + WINDOW]
        window[: len(piece)] = piece
        activity = segment(diarizer.segmentation, window)
        alone = activity & (activity.sum(axis=1) == 1)[:, None]
        for speaker in range(LOCAL_SPEAKERS):
            marked = np.flatnonzero(alone[:, speaker])
            parts = max(1, round(len(marked) * FRAME_STEP / EMBEDDING_SECONDS))
            for part in np.array_split(marked, parts):
                if len(part) * FRAME_STEP < MIN_EMBEDDING_SECONDS:
                    continue
                only = np.zeros(len(alone), np.bool_)
                only[part] = True
                embeddings.append(diarizer.embed_frames(window, only))
                seconds += len(part) * FRAME_STEP
    if any(float(one @ other) < MIN_SIMILARITY for one, other in combinations(embeddings, 2)):
        raise BadVoiceError("more than one voice speaks in the recording")
    if seconds < MIN_SPEECH:
        raise BadVoiceError(
            f"only {seconds:.1f} s of clear speech in the recording, {MIN_SPEECH:.0f} s are needed"
        )
    return SpeakerReference(tuple(embeddings), seconds)
