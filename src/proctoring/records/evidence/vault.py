"""Evidence by its digest: sealed, kept, verified when read; says whether it works."""

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
PAUSE = 5.0
"""Seconds for which a store that failed is left alone: others wait behind whoever asks it, and an
address that swallows everything takes seconds to fail."""


class EvidenceVault:
    """Keeps pieces of evidence. Every method blocks: for threads of their own, never the hot path.

    The digest is that of the content as it is shown, not as it is stored: it proves what a reviewer
    sees, survives a change of keys, and the same content is kept once.

    Args:
        store: where.
        keys: what seals.
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
        """Whether the last thing that was tried worked."""
        sealed = "" if not self._keys.seals else ", encrypted"
        with self._lock:
            return Capability("evidence", not self._reason, self._reason, self._store.name + sealed)

    def put(self, data: bytes) -> str:
        """Keep a piece. Returns its digest.

        Raises:
            EvidenceUnavailableError: it could not be kept, however often it was tried.
        """
        digest = hashlib.sha256(data).hexdigest()
        sealed = self._keys.seal(digest, data)
        with self._lock:
            if self._reason and self._clock() - self._failed_at < PAUSE:
                raise EvidenceUnavailableError(self._reason)
        try:
            self._retrying.copy()(self._store.put, digest, sealed)
        except EvidenceUnavailableError as error:
            self._say(error.detail)
            raise
        self._say("")
        return digest

    def get(self, digest: str) -> bytes:
        """A piece, verified.

        Raises:
            UnknownEvidenceError: nothing is kept under the digest.
            EvidenceUnavailableError: the store does not answer.
            EvidenceKeyMissingError: it was encrypted with a key that is not here.
            EvidenceDamagedError: what is kept is not what was put there.
        """
        data = self._keys.open(digest, self._store.get(digest))
        if hashlib.sha256(data).hexdigest() != digest:
            raise EvidenceDamagedError(
                "the evidence is not what was stored: its content has another digest"
            )
        return data

    def delete(self, digest: str) -> None:
        """Keep a piece no longer.

        Raises:
            EvidenceUnavailableError: it could not be deleted.
        """
        self._retrying.copy()(self._store.delete, digest)

    def check(self) -> None:
        """See whether something could be kept now; ``capability`` says the result."""
        try:
            self._store.check()
        except EvidenceUnavailableError as error:
            self._say(error.detail)
        else:
            self._say("")

    def _say(self, reason: str) -> None:
        with self._lock:
            self._reason = reason
            self._failed_at = self._clock()


def open_store(
    address: str, folder: Path, *, endpoint: str = "", region: str = ""
) -> EvidenceStore:
    """The store of the settings: ``s3://bucket/prefix``, or the folder if ``address`` is empty.

    Raises:
        SettingsError: the address is no such thing, or what it needs is not installed.
    """
    if not address:
        return FolderStore(folder)
    parts = urlsplit(address)
    if parts.scheme != "s3" or not parts.netloc or parts.query or parts.fragment:
        raise SettingsError(
            f"evidence store {address!r}: expected s3://bucket or s3://bucket/prefix"
        )
    return S3Store(parts.netloc, parts.path, endpoint, region)
