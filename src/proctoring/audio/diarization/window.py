"""One window of ten seconds: which local speaker is active alone, and embeddings of that speech."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.embedding import SpeakerEmbedding, embed
from proctoring.audio.filterbank import FRAME_LENGTH, FRAME_STEP, filterbank, frame_count
from proctoring.audio.pcm import SAMPLE_RATE, Waveform
from proctoring.audio.segmentation import FRAME_CENTRE, FRAMES, WINDOW, Activity
from proctoring.audio.segmentation import FRAME_STEP as SEGMENTATION_STEP
from proctoring.models.onnx_runtime import OnnxNetwork


@dataclass(frozen=True, slots=True, eq=False)
class Window:
    """A window of audio with its segmentation. ``index`` below is a local speaker's, 0 to 2."""

    waveform: Waveform
    """(160000,)."""
    alone: Activity
    """(589, 3): frames in which a local speaker is the only one active."""
    time: float
    """Media time of its end, in seconds."""
    embedding: OnnxNetwork

    @property
    def start(self) -> float:
        """Media time of its beginning, in seconds."""
        return self.time - WINDOW / SAMPLE_RATE

    def seconds_alone(self, index: int) -> float:
        """Seconds in which this local speaker is the only one active."""
        return float(self.alone[:, index].sum() * SEGMENTATION_STEP)

    def times_alone(self, index: int) -> NDArray[np.float64]:
        """Media times of the centres of those frames."""
        frames = np.flatnonzero(self.alone[:, index])
        return np.asarray(self.start + FRAME_CENTRE + SEGMENTATION_STEP * frames, np.float64)

    def embed(self, index: int, after: float, most: float) -> SpeakerEmbedding:
        """The embedding of a local speaker's latest speech.

        Args:
            index: of the local speaker.
            after: media time before which nothing is used.
            most: seconds of speech used at most.
        """
        frames = self.alone[:, index]
        return embed_frames(self.embedding, self.waveform, frames, after - self.start, most)


def embed_frames(
    network: OnnxNetwork,
    waveform: Waveform,
    frames: NDArray[np.bool_],
    after: float = float("-inf"),
    most: float = WINDOW / SAMPLE_RATE,
) -> SpeakerEmbedding:
    """The embedding of the latest marked frames of a window.

    Args:
        network: the embedding network.
        waveform: (160000,).
        frames: (589,) frames of the segmentation to use.
        after: seconds into the window before which nothing is used.
        most: seconds of speech used at most.
    """
    chosen = _feature_frames(frames, after)[-round(most * SAMPLE_RATE / FRAME_STEP) :]
    return embed(network, filterbank(waveform, chosen))


def silence_older_half(waveform: Waveform) -> Waveform:
    """The window with its first five seconds silenced.

    After some contexts the segmentation network finds nobody in seconds of plain speech, at every gain
    and with any dither; without that context it does. Of three evaluated sessions in which the second
    speaker was missed altogether, this was the cause in one (``docs/accuracy.md``).
    """
    half = WINDOW // 2
    return np.concatenate([np.zeros(half, np.float32), waveform[half:]])


def _feature_frames(marked: NDArray[np.bool_], after: float) -> NDArray[np.intp]:
    """Indices of the filterbank frames that lie in marked segmentation frames.

    Args:
        marked: (589,) frames of the segmentation.
        after: seconds into the window before which nothing is used.
    """
    centres = (FRAME_LENGTH / 2 + FRAME_STEP * np.arange(frame_count(WINDOW))) / SAMPLE_RATE
    nearest = np.clip(np.rint((centres - FRAME_CENTRE) / SEGMENTATION_STEP), 0, FRAMES - 1)
    return np.flatnonzero(marked[nearest.astype(np.intp)] & (centres > after))
