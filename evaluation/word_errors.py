"""Word error rate: substitutions, deletions and insertions per word of the reference."""

from __future__ import annotations

import re

_SPELLINGS = {"mr": "mister", "mrs": "missis", "shopboy": "shop boy", "&": "and"}


def plain_words(text: str) -> list[str]:
    """Words in lower case without punctuation, with one spelling for variants."""
    words = re.findall(r"[\w']+", text.casefold().replace("-", " ").replace("\u2019", "'"))
    return " ".join(_SPELLINGS.get(word, word) for word in words).split()


def word_errors(reference: str, hypothesis: str) -> tuple[int, int]:
    """Edit distance in words, and the number of words of the reference."""
    said, heard = plain_words(reference), plain_words(hypothesis)
    row = list(range(len(heard) + 1))
    for i, word in enumerate(said, 1):
        before, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            change = before + (word != other)
            before, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, change)
    return row[-1], len(said)
