"""Downloads from publishers' addresses: streamed, resumed, unpacked."""

from __future__ import annotations

import bz2
import shutil
import socket
import tarfile
from collections.abc import Callable
from pathlib import Path

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential

from proctoring.models.model import PublisherUrl
from proctoring.models.sources import SourceError

_CONNECT_TIMEOUT = 5.0
_TIMEOUT = 30.0
"""Seconds. Short for connecting, so that an unreachable source is skipped soon."""
_ATTEMPTS = 3
_MAX_BYTES = 1 << 30
"""Far above the largest download of the catalogue (an archive of 190 MB): more is the wrong file."""


class _RetryableError(Exception):
    """A failure that may pass: a broken connection, HTTP 5xx or 429."""


class Downloader:
    """Downloads files. A host that cannot be resolved is tried only once."""

    def __init__(self) -> None:
        self._unresolved: set[str] = set()

    def download(
        self, source: PublisherUrl, target: Path, progress: Callable[[int, int | None], None]
    ) -> None:
        """Download the file of ``source`` to ``target``.

        ``target.part`` keeps an interrupted download, also across runs; the next one resumes it if
        the server supports ranges.

        Raises:
            SourceError: the address cannot be reached or does not serve the file.
        """
        import httpx  # 90 ms, of which a start without downloads has no use

        host = httpx.URL(source.url).host
        if host in self._unresolved:
            raise SourceError(f"{host} cannot be resolved")
        part = target.with_name(target.name + ".part")
        try:
            for attempt in Retrying(
                retry=retry_if_exception_type(_RetryableError),
                stop=stop_after_attempt(_ATTEMPTS),
                wait=wait_exponential(multiplier=0.2, max=2),
                reraise=True,
            ):
                with attempt:
                    self._receive(source.url, part, progress)
        except _RetryableError as error:
            raise SourceError(str(error)) from error
        try:
            _unpack(source, part, target)
        finally:
            part.unlink(missing_ok=True)

    def _receive(self, url: str, part: Path, progress: Callable[[int, int | None], None]) -> None:
        import httpx

        received = part.stat().st_size if part.exists() else 0
        timeout = httpx.Timeout(_TIMEOUT, connect=_CONNECT_TIMEOUT)
        headers = {"Range": f"bytes={received}-"} if received else {}
        try:
            with (
                httpx.Client(timeout=timeout, follow_redirects=True) as client,
                client.stream("GET", url, headers=headers) as response,
            ):
                if response.status_code == httpx.codes.REQUESTED_RANGE_NOT_SATISFIABLE:
                    part.unlink(missing_ok=True)
                    raise _RetryableError(
                        f"{url}: what was there before does not fit; starting again"
                    )
                if response.status_code >= 500 or response.status_code == 429:
                    raise _RetryableError(f"{url}: answered {response.status_code}")
                if not response.is_success:
                    raise SourceError(f"{url}: answered {response.status_code}")
                resumed = response.status_code == httpx.codes.PARTIAL_CONTENT
                received = received if resumed else 0
                length = response.headers.get("Content-Length")
                total = received + int(length) if length else None
                with part.open("ab" if resumed else "wb") as file:
                    for chunk in response.iter_raw(1 << 18):
                        received += len(chunk)
                        if received > _MAX_BYTES:
                            raise SourceError(f"{url}: serves more than {_MAX_BYTES} bytes")
                        file.write(chunk)
                        progress(received, total)
        except httpx.TransportError as error:
            if _is_unresolved(error):
                host = httpx.URL(url).host
                self._unresolved.add(host)
                raise SourceError(f"{host} cannot be resolved") from error
            raise _RetryableError(f"{url}: {error or type(error).__name__}") from error
        except httpx.InvalidURL as error:
            raise SourceError(f"{url}: {error}") from error


def _is_unresolved(error: BaseException | None) -> bool:
    """Whether the cause of ``error`` is a name that does not resolve."""
    while error is not None:
        if isinstance(error, socket.gaierror):
            return True
        error = error.__cause__ or error.__context__
    return False


def _unpack(source: PublisherUrl, part: Path, target: Path) -> None:
    """Extract the file from the download."""
    try:
        if source.member is not None:
            with tarfile.open(part) as archive:
                member = archive.extractfile(source.member)
                if member is None:
                    raise SourceError(f"{source.url}: {source.member} is not a file")
                with member, target.open("wb") as out:
                    shutil.copyfileobj(member, out)
        elif source.url.endswith(".bz2"):
            with bz2.open(part) as packed, target.open("wb") as out:
                shutil.copyfileobj(packed, out)
        else:
            part.replace(target)
    except (tarfile.TarError, KeyError, EOFError, OSError) as error:
        raise SourceError(f"{source.url}: cannot be unpacked: {error}") from error
