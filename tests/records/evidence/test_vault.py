from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from proctoring.errors import (
    EvidenceDamagedError,
    EvidenceUnavailableError,
    UnknownEvidenceError,
)
from proctoring.records.evidence.sealing import Keys
from proctoring.records.evidence.store import FolderStore
from proctoring.records.evidence.vault import ATTEMPTS, PAUSE, EvidenceVault

KEYS = Keys([b"k" * 32])


def file_of(folder: Path, digest: str) -> Path:
    return folder / digest[:2] / digest


@dataclass
class Moody(FolderStore):
    """A real folder that refuses as often as it is told to."""

    folder: Path
    refusals: int = 0
    asked: int = 0
    slept: list[float] = field(default_factory=list)
    now: float = 100.0

    def __post_init__(self) -> None:
        super().__init__(self.folder)

    def put(self, digest: str, data: bytes) -> None:
        self.asked += 1
        if self.refusals:
            self.refusals -= 1
            raise EvidenceUnavailableError("the store is away")
        super().put(digest, data)

    def vault(self) -> EvidenceVault:
        return EvidenceVault(self, Keys(), sleep=self.slept.append, clock=lambda: self.now)


@pytest.mark.parametrize("keys", [Keys(), KEYS])
def test_a_piece_is_named_by_what_it_shows(tmp_path: Path, keys: Keys) -> None:
    vault = EvidenceVault(FolderStore(tmp_path), keys)
    digest = vault.put(b"a picture")
    assert digest == hashlib.sha256(b"a picture").hexdigest()
    assert vault.get(digest) == b"a picture"
    assert (file_of(tmp_path, digest).read_bytes() == b"a picture") is not keys.seals
    vault.delete(digest)
    assert not file_of(tmp_path, digest).exists()
    with pytest.raises(UnknownEvidenceError):
        vault.get(digest)


@pytest.mark.parametrize("keys", [Keys(), KEYS])
def test_a_changed_file_is_refused(tmp_path: Path, keys: Keys) -> None:
    vault = EvidenceVault(FolderStore(tmp_path), keys)
    digest = vault.put(b"a picture")
    file = file_of(tmp_path, digest)
    file.write_bytes(file.read_bytes()[:-1] + b"!")
    with pytest.raises(EvidenceDamagedError):
        vault.get(digest)


def test_an_encrypted_piece_replaced_by_an_open_one_is_refused(tmp_path: Path) -> None:
    vault = EvidenceVault(FolderStore(tmp_path), KEYS)
    digest = vault.put(b"a picture")
    file_of(tmp_path, digest).write_bytes(b"another picture")
    with pytest.raises(EvidenceDamagedError):
        vault.get(digest)


def test_a_store_that_comes_back_in_time_costs_nothing(tmp_path: Path) -> None:
    store = Moody(tmp_path, refusals=ATTEMPTS - 1)
    vault = store.vault()
    assert vault.get(vault.put(b"a picture")) == b"a picture"
    assert len(store.slept) == ATTEMPTS - 1
    assert vault.capability.available


def test_a_store_that_stays_away_is_said_and_left_alone_for_a_while(tmp_path: Path) -> None:
    store = Moody(tmp_path, refusals=ATTEMPTS)
    vault = store.vault()
    with pytest.raises(EvidenceUnavailableError, match="away"):
        vault.put(b"first")
    assert not vault.capability.available
    assert vault.capability.reason == "the store is away"
    store.now += PAUSE - 0.1
    with pytest.raises(EvidenceUnavailableError, match="away"):
        vault.put(b"second")
    assert store.asked == ATTEMPTS, "it was asked again at once"
    store.now += 0.2
    vault.put(b"third")
    assert vault.capability.available


def test_a_check_says_what_is_wrong_before_anything_is_lost(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    vault = EvidenceVault(FolderStore(tmp_path / "file"), Keys())
    assert vault.capability.available
    vault.check()
    assert "cannot be written to" in vault.capability.reason
    vault = EvidenceVault(FolderStore(tmp_path / "later"), KEYS)
    vault.check()
    assert vault.capability.available
    assert vault.capability.model == "folder, encrypted"
    assert not (tmp_path / "later").exists(), "a folder was made that nobody needs yet"
