"""Estimated times of words: Moonshine gives none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from proctoring.audio.pcm import SAMPLE_RATE
from proctoring.audio.voice_activity import FRAME
from proctoring.observations import Word


def spread_words(text: str, spoken: NDArray[np.bool_], begin: float) -> tuple[Word, ...]:
    """Distribute words over the frames with speech, in proportion to their letters.

    Args:
        text: the words.
        spoken: (frames,) whether a frame of 32 ms is speech; at least one is.
        begin: media time of the first frame, in seconds.
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
