"""The server's signing key: a signature shows that its holder wrote a text."""

from __future__ import annotations

import base64
import hmac
import os
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from proctoring.errors import SettingsError

BYTES = 32
"""Length of an Ed25519 private key."""


class Signer:
    """Signs with Ed25519: anyone with the public key can verify.

    Args:
        secret: 32 bytes.
    """

    def __init__(self, secret: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(secret)
        self._secret = secret

    @property
    def public_key(self) -> str:
        """The public key, 32 bytes in base64."""
        return base64.b64encode(self._key.public_key().public_bytes_raw()).decode()

    def sign(self, text: str) -> str:
        """The signature of a text, in base64."""
        return base64.b64encode(self._key.sign(text.encode())).decode()

    def verifies(self, text: str, signature: str) -> bool:
        """Whether this key signed this text."""
        return verifies(self._key.public_key(), text, signature)

    def derived_key(self, purpose: str) -> bytes:
        """32 bytes that only this key's holder can compute, the same for the same purpose."""
        return HKDF(hashes.SHA256(), BYTES, salt=None, info=purpose.encode()).derive(self._secret)

    def pseudonym(self, text: str) -> str:
        """HMAC-SHA-256 of a text in hexadecimal, which identifies the text only to the key's holder."""
        return hmac.digest(self._secret, text.encode(), "sha256").hex()


def verifies(key: Ed25519PublicKey, text: str, signature: str) -> bool:
    """Whether the holder of ``key`` signed this text."""
    try:
        key.verify(base64.b64decode(signature), text.encode())
    except (InvalidSignature, ValueError):
        return False
    return True


def load_signer(file: Path) -> Signer:
    """Load the key from a file that only its owner may read; create it if there is none.

    Raises:
        SettingsError: the file can be neither read nor created, or holds no key.
    """
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        # Written under another name first, so that processes that start together load one key.
        made = file.with_name(f"{file.name}.{os.getpid()}.new")
        if not file.exists():
            with open(made, "wb", opener=_private) as new:
                new.write(base64.b64encode(os.urandom(BYTES)))
            try:
                os.link(made, file)
            except FileExistsError:
                pass
            finally:
                made.unlink()
        secret = base64.b64decode(file.read_bytes(), validate=True)
    except OSError as error:
        raise SettingsError(f"signing key {file}: {error.strerror or error}") from error
    except ValueError as error:
        raise SettingsError(f"signing key {file}: not base64") from error
    if len(secret) != BYTES:
        raise SettingsError(f"signing key {file}: {len(secret)} bytes instead of {BYTES}")
    return Signer(secret)


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)
