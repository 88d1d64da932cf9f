"""Evidence in S3-compatible storage, through boto3 (``proctoring-ai[s3]``)."""

from __future__ import annotations

from typing import Any

from proctoring.errors import EvidenceUnavailableError, SettingsError, UnknownEvidenceError
from proctoring.records.evidence.store import checked_digest

_CONNECT = 3.0
_READ = 10.0
"""Seconds to wait for the store. Puts have a thread of their own, but wait for each other."""


class S3Store:
    """One S3 object for each piece of evidence, under a prefix of an existing bucket.

    Credentials come from the same places as for every AWS client: ``AWS_ACCESS_KEY_ID`` and
    ``AWS_SECRET_ACCESS_KEY``, a shared file, or the machine's role.

    Args:
        bucket: its name.
        prefix: of all object names; may be empty.
        endpoint: address of the server; AWS if empty.
        region: as the server names it.

    Raises:
        SettingsError: boto3 is not installed, or the address is not valid.
    """

    name = "s3"

    def __init__(self, bucket: str, prefix: str, endpoint: str = "", region: str = "") -> None:
        try:
            import boto3
            from botocore.config import Config
            from botocore.exceptions import BotoCoreError, ClientError
        except ModuleNotFoundError as error:
            raise SettingsError(
                "evidence store: S3 needs: pip install 'proctoring-ai[s3]'"
            ) from error
        self._bucket = bucket
        self._prefix = prefix.strip("/") + "/" if prefix.strip("/") else ""
        self._failures = (BotoCoreError, ClientError)
        self._refused = ClientError
        try:
            self._client: Any = boto3.client(
                "s3",
                endpoint_url=endpoint or None,
                region_name=region or None,
                config=Config(
                    connect_timeout=_CONNECT,
                    read_timeout=_READ,
                    retries={"total_max_attempts": 1},  # the vault retries
                    s3={"addressing_style": "path" if endpoint else "auto"},
                ),
            )
        except (BotoCoreError, ValueError) as error:
            raise SettingsError(f"evidence store: {error}") from error

    def put(self, digest: str, data: bytes) -> None:
        """Write an object; the server answers when it is durable."""
        try:
            self._client.put_object(Bucket=self._bucket, Key=self._key(digest), Body=data)
        except self._failures as error:
            raise self._unavailable(error) from error

    def get(self, digest: str) -> bytes:
        """Read an object."""
        try:
            answer = self._client.get_object(Bucket=self._bucket, Key=self._key(digest))
            return bytes(answer["Body"].read())
        except self._failures as error:
            if isinstance(error, self._refused) and _code(error) in ("NoSuchKey", "404"):
                raise UnknownEvidenceError("no such evidence is stored") from error
            raise self._unavailable(error) from error

    def delete(self, digest: str) -> None:
        """Remove an object."""
        try:
            self._client.delete_object(Bucket=self._bucket, Key=self._key(digest))
        except self._failures as error:
            raise self._unavailable(error) from error

    def check(self) -> None:
        """Check that the bucket can be reached."""
        try:
            self._client.head_bucket(Bucket=self._bucket)
        except self._failures as error:
            raise self._unavailable(error) from error

    def _key(self, digest: str) -> str:
        return self._prefix + checked_digest(digest)

    def _unavailable(self, error: Exception) -> EvidenceUnavailableError:
        return EvidenceUnavailableError(f"evidence bucket {self._bucket}: {error}")


def _code(error: Any) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))
