"""The C library's heap: told what to do where it can be, left alone elsewhere."""

from __future__ import annotations

import ctypes

import pytest

from proctoring.server import heap


class Library:
    """A C library that notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[str, tuple[int, ...]]] = []

    def mallopt(self, *values: int) -> None:
        self.told.append(("mallopt", values))

    def malloc_trim(self, *values: int) -> None:
        self.told.append(("malloc_trim", values))


def test_glibc_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    library = Library()
    monkeypatch.setattr(ctypes, "CDLL", lambda _: library)
    heap.limit_arenas(2)
    heap.return_free_memory()
    assert library.told == [("mallopt", (-8, 2)), ("malloc_trim", (0,))]


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "CDLL", lambda _: object())
    heap.limit_arenas(2)
    heap.return_free_memory()
