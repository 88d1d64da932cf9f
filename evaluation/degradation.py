"""Simulated degradation of speech by rooms, distance, noise and codecs; reproducible by seed."""

from __future__ import annotations

import io

import av
import numpy as np
from numpy.typing import NDArray

RATE = 16_000
SPEED_OF_SOUND = 343.0

Audio = NDArray[np.float64]


def room_response(
    source: NDArray[np.float64],
    microphone: NDArray[np.float64],
    size: NDArray[np.float64],
    reverberation: float,
) -> Audio:
    """Impulse response of a box-shaped room by the image-source method (Allen and Berkley, 1979).

    Args:
        source, microphone: (3,) positions in metres.
        size: (3,) metres.
        reverberation: RT60 in seconds; the walls' reflection coefficient follows by Eyring's formula.
    """
    volume = float(np.prod(size))
    surface = 2 * float(size[0] * size[1] + size[0] * size[2] + size[1] * size[2])
    reflection = np.sqrt(np.exp(-0.161 * volume / (surface * reverberation)))
    length = int(RATE * reverberation)
    reach = np.ceil(SPEED_OF_SOUND * reverberation / (2 * size)).astype(int)
    axes = [np.arange(-n, n + 1) for n in reach]
    delays, gains = [], []
    for parity in np.ndindex(2, 2, 2):
        places, bounces = [], []
        for axis in range(3):
            n, q = axes[axis], parity[axis]
            places.append((1 - 2 * q) * source[axis] + 2 * n * size[axis] - microphone[axis])
            bounces.append(np.abs(n - q) + np.abs(n))
        x, y, z = np.meshgrid(*places, indexing="ij")
        distance = np.sqrt(x**2 + y**2 + z**2)
        bounce = np.sum(np.meshgrid(*bounces, indexing="ij"), axis=0)
        delay = np.rint(distance / SPEED_OF_SOUND * RATE).astype(int)
        near = delay < length
        delays.append(delay[near])
        gains.append((reflection ** bounce[near]) / (4 * np.pi * np.maximum(distance[near], 0.1)))
    response = np.zeros(length)
    np.add.at(response, np.concatenate(delays), np.concatenate(gains))
    return response


class Room:
    """One simulated room with a microphone in it, drawn at random: small, furnished or bare."""

    def __init__(self, random: np.random.Generator) -> None:
        self._random = random
        self._size = random.uniform((2.8, 2.5, 2.3), (6.0, 5.0, 3.0))
        self._reverberation = float(random.uniform(0.2, 0.5))
        self._microphone = self._size * random.uniform((0.3, 0.3, 0.3), (0.7, 0.7, 0.5))

    def response_from(self, distance: float) -> Audio:
        """Impulse response of a source ``distance`` metres from the microphone in a random direction."""
        place = self._microphone
        for _ in range(100):
            direction = self._random.normal(size=3) * (1, 1, 0.3)
            place = self._microphone + distance * direction / np.linalg.norm(direction)
            if np.all(place > 0.2) and np.all(place < self._size - 0.2):
                break
        place = np.clip(place, 0.2, self._size - 0.2)
        return room_response(place, self._microphone, self._size, self._reverberation)


def convolve(audio: Audio, response: Audio) -> Audio:
    """Filtered audio of the same length."""
    length = 1 << int(np.ceil(np.log2(len(audio) + len(response))))
    product = np.fft.rfft(audio, length) * np.fft.rfft(response, length)
    # Image sources add up at low frequencies as in no real room; Allen and Berkley therefore use
    # a high-pass, here of third order at 80 Hz.
    frequencies = np.fft.rfftfreq(length, 1 / RATE)
    product *= frequencies**3 / (frequencies**3 + 80.0**3)
    return np.asarray(np.fft.irfft(product, length)[: len(audio)])


def at_level(audio: Audio, dbfs: float) -> Audio:
    """The audio scaled to a mean level in dBFS (of its loudest half, so that pauses do not count)."""
    frames = audio[: len(audio) // 400 * 400].reshape(-1, 400)
    powers = np.sort((frames**2).mean(axis=1))[len(frames) // 2 :]
    level = float(np.sqrt(powers.mean())) if len(powers) else 0.0
    return audio * (10 ** (dbfs / 20) / max(level, 1e-9))


def add_noise(audio: Audio, dbfs: float, random: np.random.Generator) -> Audio:
    """The audio with pink noise and mains hum added at a level in dBFS."""
    spectrum = np.fft.rfft(random.normal(size=len(audio)))
    frequencies = np.maximum(np.fft.rfftfreq(len(audio), 1 / RATE), 20.0)
    noise = np.fft.irfft(spectrum / np.sqrt(frequencies), len(audio))
    noise /= max(float(noise.std()), 1e-9)
    hum = np.sin(2 * np.pi * 50 * np.arange(len(audio)) / RATE)
    return audio + (noise + 0.3 * hum) * 10 ** (dbfs / 20)


def through_opus(audio: Audio, bit_rate: int = 24_000) -> Audio:
    """The audio after encoding and decoding with Opus, the codec of WebRTC."""
    pcm = np.clip(np.rint(audio * 32768), -32768, 32767).astype(np.int16)
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="ogg") as container:
        stream = container.add_stream("libopus", rate=48_000, layout="mono")
        stream.bit_rate = bit_rate
        resampler = av.AudioResampler("s16", "mono", 48_000, frame_size=960)
        frame = av.AudioFrame.from_ndarray(pcm[None], "s16", "mono")
        frame.sample_rate = RATE
        for piece in [*resampler.resample(frame), *resampler.resample(None)]:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    buffer.seek(0)
    decoded = []
    with av.open(buffer, "r") as decoder:
        resampler = av.AudioResampler("s16", "mono", RATE)
        for frame in decoder.decode(audio=0):
            decoded += [piece.to_ndarray()[0] for piece in resampler.resample(frame)]
        decoded += [piece.to_ndarray()[0] for piece in resampler.resample(None)]
    heard = np.concatenate(decoded).astype(np.float64) / 32768
    return np.pad(heard, (0, max(0, len(audio) - len(heard))))[: len(audio)]
