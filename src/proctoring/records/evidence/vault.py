"""Stores evidence by its digest: encrypts it, retries, verifies it when it is read."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from urllib.parse import urlsplit

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from proctoring.capabilities import Capability
from proctoring.errors import EvidenceDamagedError, EvidenceUnavailableError, SettingsError
from proctoring.records.evidence.s3 import S3Store
from proctoring.records.evidence.sealing import Keys
from proctoring.records.evidence.store import EvidenceStore, FolderStore

ATTEMPTS = 3
"""At storing a piece."""

PAUSE = 5.0
"""Seconds after a failure in which pieces are refused at once: an address that does not answer takes
seconds to fail, in which others wait."""


class EvidenceVault:
    """Stores pieces of evidence. Every method blocks: not for the event loop or analysis.

    The digest is that of the plain content: it proves what a reviewer sees, survives a change of keys,
    and equal content is stored once.

    Args:
        store: where.
        keys: encrypt and decrypt.
        sleep: waits between two attempts.
        clock: seconds.
    """

    def __init__(
        self,
        store: EvidenceStore,
        keys: Keys,
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._keys = keys
        self._lock = Lock()
        self._clock = clock
        self._reason = ""
        self._failed_at = 0.0
        self._retrying = Retrying(
            retry=retry_if_exception_type(EvidenceUnavailableError),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_random_exponential(multiplier=0.2, max=2.0),
            sleep=sleep,
            reraise=True,
        )

    @property
    def capability(self) -> Capability:
        """Whether the last operation worked."""
        sealed = "" if not self._keys.seals else ", encrypted"
        with self._lock:
            return Capability("evidence", not self._reason, self._reason, self._store.name + sealed)

    def put(self, data: bytes) -> str:
        """Store a piece. Returns its digest.

        Raises:
            EvidenceUnavailableError: it could not be stored, after ``ATTEMPTS``.
        """
        digest = hashlib.sha256(data).hexdigest()
        sealed = self._keys.seal(digest, data)
        with self._lock:
            if self._reason and self._clock() - self._failed_at < PAUSE:
                raise EvidenceUnavailableError(self._reason)
        try:
            self._retrying.copy()(self._store.put, digest, sealed)
        except EvidenceUnavailableError as error:
            self._note(error.detail)
            raise
        self._note("")
        return digest

    def get(self, digest: str) -> bytes:
        """A piece, verified.

        Raises:
            UnknownEvidenceError: nothing is stored under the digest.
            EvidenceUnavailableError: the store does not answer.
            EvidenceKeyMissingError: it was encrypted with a key that is not configured.
            EvidenceDamagedError: its content was changed.
        """
        data = self._keys.open(digest, self._store.get(digest))
        if hashlib.sha256(data).hexdigest() != digest:
            raise EvidenceDamagedError(
                "the evidence is not what was stored: its content has another digest"
            )
        return data

    def delete(self, digest: str) -> None:
        """Delete a piece.

        Raises:
            EvidenceUnavailableError: it could not be deleted.
        """
        self._retrying.copy()(self._store.delete, digest)

    def check(self) -> None:
        """Check whether something could be stored now; ``capability`` shows the result."""
        try:
            self._store.check()
        except EvidenceUnavailableError as error:
            self._note(error.detail)
        else:
            self._note("")

    def _note(self, reason: str) -> None:
        with self._lock:
            self._reason = reason
            self._failed_at = self._clock()


def open_store(
    address: str, folder: Path, *, endpoint: str = "", region: str = ""
) -> EvidenceStore:
    """Open the store at ``s3://bucket/prefix``, or the folder if ``address`` is empty.

    Raises:
        SettingsError: the address is not valid, or what it needs is not installed.
    """
    if not address:
        return FolderStore(folder)
    parts = urlsplit(address)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise SettingsError(
            f"evidence store {address!r}: expected s3://bucket or s3://bucket/prefix"
        )
    return S3Store(parts.netloc, parts.path, endpoint, region)
