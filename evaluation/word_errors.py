"""Word error rate: words wrong, missing and too many, per word that was said."""

from __future__ import annotations

import re

_SPELLINGS = {"mr": "mister", "mrs": "missis", "shopboy": "shop boy", "&": "and"}


def plain_words(text: str) -> list[str]:
    """Small letters, no punctuation, one spelling for what is written in several ways."""
    words = re.findall(r"[\w']+", text.casefold().replace("-", " ").replace("\u2019", "'"))
    return " ".join(_SPELLINGS.get(word, word) for word in words).split()


def word_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """Least edits that make the one into the other, and the reference's number of words."""
    said, heard = plain_words(reference), plain_words(hypothesis)
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            change = before + (word != other)
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, change)
    return row[-1], len(said)
