"""Encryption at rest: AES-256-GCM under the operator's key."""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from proctoring.errors import EvidenceDamagedError, EvidenceKeyMissingError, SettingsError

_MAGIC = b"proctoring sealed 1\n"
_KEY_ID = 16
_NONCE = 12
"""Bytes, as NIST SP 800-38D recommends; random, so that one key may encrypt 2**32 pieces."""
_KEY = 32


class Keys:
    """The operator's keys, which encrypt and decrypt evidence.

    An encrypted piece is a magic line, the id of its key, a nonce, and the ciphertext with its tag.
    The piece's digest is authenticated too, so that one piece cannot be put in place of another.

    Args:
        keys: of 32 bytes. The first encrypts, all decrypt, so a key is replaced by putting a new one
            before it. Without keys nothing is encrypted.
    """

    def __init__(self, keys: Sequence[bytes] = ()) -> None:
        self._ciphers = {key_id(key): AESGCM(key) for key in keys}
        self._first = next(iter(self._ciphers), None)

    def followed_by(self, key: bytes) -> Keys:
        """These keys and one more, which encrypts only where there is none of these."""
        more = Keys([key])
        more._ciphers = {**self._ciphers, **more._ciphers}
        more._first = next(iter(more._ciphers))
        return more

    @property
    def seals(self) -> bool:
        """Whether new evidence is encrypted."""
        return self._first is not None

    def seal(self, digest: str, data: bytes) -> bytes:
        """Encrypt a piece, if there is a key."""
        if self._first is None:
            return data
        nonce = os.urandom(_NONCE)
        sealed = self._ciphers[self._first].encrypt(nonce, data, _bound(self._first, digest))
        return _MAGIC + self._first.encode() + nonce + sealed

    def open(self, digest: str, stored: bytes) -> bytes:
        """Decrypt a piece; one that is not encrypted is returned unchanged.

        Raises:
            EvidenceKeyMissingError: its key is not among the operator's.
            EvidenceDamagedError: it was changed since it was stored.
        """
        if not is_sealed(stored):
            return stored
        name_end = len(_MAGIC) + _KEY_ID
        name = stored[len(_MAGIC) : name_end].decode("ascii", "replace")
        cipher = self._ciphers.get(name)
        if cipher is None:
            known = ", ".join(self._ciphers) or "none"
            raise EvidenceKeyMissingError(
                f"the evidence was encrypted with the key {name}; the keys given are: {known}"
            )
        try:
            return cipher.decrypt(
                stored[name_end : name_end + _NONCE],
                stored[name_end + _NONCE :],
                _bound(name, digest),
            )
        except (InvalidTag, ValueError) as error:
            raise EvidenceDamagedError(
                "the evidence does not open: it was changed since it was stored"
            ) from error


def is_sealed(stored: bytes) -> bool:
    """Whether a piece is encrypted."""
    return stored.startswith(_MAGIC)


def key_id(key: bytes) -> str:
    """A name for a key that does not reveal it: 16 hexadecimal digits."""
    return hashlib.sha256(b"proctoring evidence key\n" + key).hexdigest()[:_KEY_ID]


def read_keys(text: str, file: Path | None) -> Keys:
    """Load the keys of the settings: base64 of 32 bytes each, one a line in the file.

    Raises:
        SettingsError: the file cannot be read, or holds something else. The message shows no key.
    """
    lines = [("PROCTORING_EVIDENCE_KEY", text)] if text.strip() else []
    if file is not None:
        try:
            written = file.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsError(f"evidence keys {file}: cannot be read as text") from error
        found = [
            (f"{file}, line {number}", line)
            for number, line in enumerate(written.splitlines(), 1)
            if line.strip() and not line.startswith("#")
        ]
        if not found:
            raise SettingsError(f"evidence keys {file}: holds no key")
        lines += found
    return Keys([_key(where, line) for where, line in lines])


def _key(where: str, text: str) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != _KEY:
        raise SettingsError(
            f"{where}: not a key: base64 of {_KEY} random bytes (openssl rand -base64 {_KEY})"
        )
    return key


def _bound(name: str, digest: str) -> bytes:
    return f"{name} {digest}".encode()
