"""A candidate's voice from a recording made beforehand: checked, then kept as speaker embeddings alone."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import combinations

import av
import numpy as np

from proctoring.audio.analyser import SPEECH_PROBABILITY, AudioModels
from proctoring.audio.embedding import SpeakerEmbedding
from proctoring.audio.pcm import SAMPLE_RATE, Pcm, to_waveform
from proctoring.audio.recording import resampled
from proctoring.audio.segmentation import FRAME_STEP, LOCAL_SPEAKERS, WINDOW, segment
from proctoring.audio.voice_activity import initial_memory, speech_probabilities
from proctoring.errors import BadVoiceError, ModelUnavailableError

LEAST_SPEECH = 3.0
"""Seconds of the candidate speaking alone that a reference needs."""
LONGEST = 60.0
"""Seconds that a reference may last."""
LARGEST = 6 << 20
"""Bytes that it may have: a minute at 48 kHz, 16 bit, mono."""
PRINT_SECONDS = 3.0
"""Speech in one embedding, at most."""
LEAST_PRINT_SECONDS = 1.5
APART = 0.30
"""Cosine of two embeddings of one recording below which two people speak in it (``evaluation/given_voice.py``)."""

_FORMATS = {b"RIFF": "wav", b"fLaC": "flac", b"OggS": "ogg", b"\x1aE\xdf\xa3": "matroska"}
"""First bytes to the one reader that is tried: nothing else of what FFmpeg reads may come in."""


@dataclass(frozen=True, slots=True, eq=False)
class VoiceReference:
    """What is kept of a reference: speaker embeddings, no sound."""

    embeddings: tuple[SpeakerEmbedding, ...]
    seconds: float
    """Speech that went into them."""


def decode_reference(data: bytes) -> Pcm:
    """The sound of a WAV, FLAC, Ogg or WebM file, mixed to mono at 16 kHz.

    Raises:
        BadVoiceError: it is no such file, too large, damaged or too long.
    """
    if len(data) > LARGEST:
        raise BadVoiceError(f"the recording has {len(data)} bytes, {LARGEST} are allowed")
    reader = _FORMATS.get(data[:4])
    if reader is None:
        raise BadVoiceError("not a sound file: WAV, FLAC, Ogg or WebM is needed")
    pieces, samples = [np.zeros(0, np.int16)], 0
    try:
        with av.open(io.BytesIO(data), "r", format=reader, metadata_errors="ignore") as container:
            if not container.streams.audio:
                raise BadVoiceError("the file holds no sound")
            resampler = av.AudioResampler("s16", "mono", SAMPLE_RATE)
            for frame in container.decode(audio=0):
                frame.pts = None
                for chunk in resampled(resampler, frame, 0.0):
                    pieces.append(chunk.samples)
                    samples += len(chunk.samples)
                if samples > LONGEST * SAMPLE_RATE:
                    raise BadVoiceError(f"the recording is longer than {LONGEST:.0f} s")
            pieces += [chunk.samples for chunk in resampled(resampler, None, 0.0)]
    except (av.FFmpegError, ValueError) as error:
        raise BadVoiceError("the sound file is damaged, or its format is unknown") from error
    return np.concatenate(pieces)


def read_reference(models: AudioModels, sound: Pcm) -> VoiceReference:
    """The voice of a recording in which the candidate alone speaks. Takes seconds: not for an event loop.

    Raises:
        BadVoiceError: nobody speaks, too little, or more than one voice.
        ModelUnavailableError: this process cannot hear speakers.
    """
    detector, voice_activity = models.speakers, models.voice_activity
    if detector is None or voice_activity is None:
        reason = next((c.reason for c in models.capabilities if not c.available), "")
        raise ModelUnavailableError(f"voices cannot be told apart here: {reason}")
    waveform = to_waveform(sound)
    frames, _ = speech_probabilities(voice_activity, waveform, initial_memory())
    if not (frames >= SPEECH_PROBABILITY).any():
        raise BadVoiceError("nobody speaks in the recording")
    embeddings: list[SpeakerEmbedding] = []
    seconds = 0.0
    for start in range(0, len(waveform), WINDOW):
        window = np.zeros(WINDOW, np.float32)
        piece = waveform[start : start + WINDOW]
        window[: len(piece)] = piece
        activity = segment(detector.segmentation, window)
        alone = activity & (activity.sum(axis=1) == 1)[:, None]
        for speaker in range(LOCAL_SPEAKERS):
            marked = np.flatnonzero(alone[:, speaker])
            parts = max(1, round(len(marked) * FRAME_STEP / PRINT_SECONDS))
            for part in np.array_split(marked, parts):
                if len(part) * FRAME_STEP < LEAST_PRINT_SECONDS:
                    continue
                only = np.zeros(len(alone), np.bool_)
                only[part] = True
                embeddings.append(detector.embed_frames(window, only))
                seconds += len(part) * FRAME_STEP
    if any(float(one @ other) < APART for one, other in combinations(embeddings, 2)):
        raise BadVoiceError("more than one voice speaks in the recording")
    if seconds < LEAST_SPEECH:
        raise BadVoiceError(
            f"only {seconds:.1f} s of clear speech in the recording, {LEAST_SPEECH:.0f} s are needed"
        )
    return VoiceReference(tuple(embeddings), seconds)
