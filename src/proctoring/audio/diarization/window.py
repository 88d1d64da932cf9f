"""One window of ten seconds: who speaks alone in it, and embeddings of that speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.embedding import SpeakerEmbedding, embed
from proctoring.audio.filterbank import FRAME_LENGTH, FRAME_STEP, filterbank, frame_count
from proctoring.audio.pcm import SAMPLE_RATE, Waveform
from proctoring.audio.segmentation import FRAME_CENTRE, FRAMES, WINDOW, Activity
from proctoring.audio.segmentation import FRAME_STEP as SEGMENT_STEP
from proctoring.models.onnx_runtime import OnnxNetwork


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A window of sound with its segmentation."""

    waveform: Waveform
    """(160000,)."""
    alone: Activity
    """(589, 3): frames in which a speaker, and nobody else, speaks."""
    time: float
    """Media time of its end, in seconds."""
    embedding: OnnxNetwork

    @property
    def start(self) -> float:
        """Media time of its beginning, in seconds."""
        return self.time - WINDOW / SAMPLE_RATE

    def seconds_alone(self, speaker: int) -> float:
        """Seconds in which this speaker alone speaks."""
        return float(self.alone[:, speaker].sum() * SEGMENT_STEP)

    def times_alone(self, speaker: int) -> NDArray[np.float64]:
        """Media times of the centres of the frames in which this speaker alone speaks."""
        frames = np.flatnonzero(self.alone[:, speaker])
        return np.asarray(self.start + FRAME_CENTRE + SEGMENT_STEP * frames, np.float64)

    def embed_frames(self, speaker: int, after: float, most: float) -> SpeakerEmbedding:
        """The embedding of a speaker's latest speech.

        Args:
            speaker: index of the segmentation.
            after: media time before which nothing is used.
            most: seconds used at most.
        """
        frames = self.alone[:, speaker]
        return embed_frames(self.embedding, self.waveform, frames, after - self.start, most)


def embed_frames(
    embedding: OnnxNetwork,
    waveform: Waveform,
    frames: NDArray[np.bool_],
    after: float = float("-inf"),
    most: float = WINDOW / SAMPLE_RATE,
) -> SpeakerEmbedding:
    """The embedding of the latest marked frames of a window.

    Args:
        embedding: the embedding network.
        waveform: (160000,).
        frames: (589,) frames of the segmentation to use.
        after: seconds into the window before which nothing is used.
        most: seconds used at most.
    """
    chosen = _feature_frames(frames, after)[-round(most * SAMPLE_RATE / FRAME_STEP) :]
    return embed(embedding, filterbank(waveform, chosen))


def older_half_silent(waveform: Waveform) -> Waveform:
    """The same sound without the context in which the segmentation heard nobody.

    It may do so for seconds of plain speech, at every gain and with any dither, because of what came
    before: of three sessions in which the other was missed altogether, this was the reason in one.
    """
    half = WINDOW // 2
    return np.concatenate([np.zeros(half, np.float32), waveform[half:]])


def _feature_frames(marked: NDArray[np.bool_], after: float) -> NDArray[np.intp]:
    """Filterbank frames that lie in marked segmentation frames.

    Args:
        marked: (589,) frames of the segmentation.
        after: seconds into the window before which nothing is taken.
    """
    centres = (FRAME_LENGTH / 2 + FRAME_STEP * np.arange(frame_count(WINDOW))) / SAMPLE_RATE
    nearest = np.clip(np.rint((centres - FRAME_CENTRE) / SEGMENT_STEP), 0, FRAMES - 1)
    return np.flatnonzero(marked[nearest.astype(np.intp)] & (centres > after))
