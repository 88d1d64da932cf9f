from __future__ import annotations

import base64
from pathlib import Path

import pytest

from proctoring.errors import EvidenceDamagedError, EvidenceKeyMissingError, SettingsError
from proctoring.records.evidence.sealing import Keys, key_id, read_keys

OLD, NEW = b"o" * 32, b"n" * 32
DIGEST = "ab" * 32


def written(*keys: bytes) -> str:
    return "".join(base64.b64encode(key).decode() + "\n" for key in keys)


def test_what_is_sealed_opens_and_shows_nothing() -> None:
    keys = Keys([NEW])
    sealed = keys.seal(DIGEST, b"a face" * 100)
    assert b"a face" not in sealed
    assert key_id(NEW).encode() in sealed
    assert keys.open(DIGEST, sealed) == b"a face" * 100
    assert keys.seal(DIGEST, b"a face" * 100) != sealed, "a nonce was used twice"


def test_without_a_key_nothing_is_sealed() -> None:
    assert not Keys().seals
    assert Keys().seal(DIGEST, b"open") == b"open"
    assert Keys([NEW]).open(DIGEST, b"open") == b"open", "what was kept before there was a key"


def test_a_new_first_key_seals_and_the_old_one_still_opens() -> None:
    old = Keys([OLD]).seal(DIGEST, b"kept long ago")
    both = Keys([NEW, OLD])
    assert both.open(DIGEST, old) == b"kept long ago"
    assert Keys([NEW]).open(DIGEST, both.seal(DIGEST, b"kept now")) == b"kept now"


@pytest.mark.parametrize("keys", [Keys(), Keys([NEW])])
def test_the_wrong_key_is_said_by_name(keys: Keys) -> None:
    sealed = Keys([OLD]).seal(DIGEST, b"kept")
    with pytest.raises(EvidenceKeyMissingError, match=key_id(OLD)):
        keys.open(DIGEST, sealed)


@pytest.mark.parametrize("cut", [0, 1, 20])
def test_a_changed_or_shortened_piece_does_not_open(cut: int) -> None:
    keys = Keys([NEW])
    sealed = bytearray(keys.seal(DIGEST, b"kept" * 10))
    if cut:
        del sealed[-cut:]
    else:
        sealed[-1] ^= 1
    with pytest.raises(EvidenceDamagedError):
        keys.open(DIGEST, bytes(sealed))


def test_one_sealed_piece_cannot_stand_for_another() -> None:
    keys = Keys([NEW])
    with pytest.raises(EvidenceDamagedError):
        keys.open("cd" * 32, keys.seal(DIGEST, b"kept"))


def test_keys_come_from_the_setting_and_the_file(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text("# since January\n\n" + written(NEW, OLD))
    sealed = read_keys("", file).seal(DIGEST, b"kept")
    assert Keys([NEW]).open(DIGEST, sealed) == b"kept"
    assert not read_keys("", None).seals
    assert read_keys(written(OLD), file).open(DIGEST, sealed) == b"kept"


@pytest.mark.parametrize("text", ["secret", base64.b64encode(b"short").decode(), "ä" * 44])
def test_what_is_no_key_is_refused_and_never_shown(text: str) -> None:
    with pytest.raises(SettingsError, match="PROCTORING_EVIDENCE_KEY: not a key") as refused:
        read_keys(text, None)
    assert text not in refused.value.detail


def test_a_key_file_that_is_none_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    with pytest.raises(SettingsError, match="cannot be read"):
        read_keys("", file)
    file.write_text("# nothing yet\n")
    with pytest.raises(SettingsError, match="holds no key"):
        read_keys("", file)
    file.write_text(written(NEW) + "oops\n")
    with pytest.raises(SettingsError, match="line 2"):
        read_keys("", file)
