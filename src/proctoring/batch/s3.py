"""Recordings in S3-compatible storage, through boto3 (``proctoring-ai[s3]``).

Credentials, region and the address of a server other than AWS come from where every AWS client takes
them: ``AWS_ACCESS_KEY_ID``, ``AWS_SECRET_ACCESS_KEY``, ``AWS_DEFAULT_REGION``, ``AWS_ENDPOINT_URL_S3``,
a shared file, or the machine's role.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from proctoring.errors import SettingsError

SCHEME = "s3://"

_CHUNK = 1 << 20
"""Bytes that are read, hashed and written at a time."""


def split(address: str) -> tuple[str, str]:
    """Bucket and key of ``s3://bucket/key``; the key may be empty.

    Raises:
        SettingsError: it names no bucket.
    """
    bucket, _, key = address.removeprefix(SCHEME).partition("/")
    if not bucket:
        raise SettingsError(f"{address}: s3://bucket/prefix is needed")
    return bucket, key


def objects(address: str) -> Iterator[tuple[str, str]]:
    """Keys below a prefix, in order, each with what changes when its content does (empty: not known).

    Raises:
        SettingsError: boto3 is not installed, or the bucket cannot be listed.
    """
    bucket, prefix = split(address)
    try:
        pages = _client().get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        for page in pages:
            for found in page.get("Contents", ()):
                yield found["Key"], _state(found["Size"], found)
    except _failures() as error:
        raise SettingsError(f"{address}: {error}") from error


def state(address: str) -> str:
    """The second part of ``objects`` for one object; empty if it cannot be read."""
    bucket, key = split(address)
    try:
        found = _client().head_object(Bucket=bucket, Key=key)
    except _failures():
        return ""
    return _state(found["ContentLength"], found)


def download(address: str, path: Path) -> str:
    """Write an object to a file.

    Returns:
        SHA-256 of its content, in hexadecimal.

    Raises:
        OSError: it cannot be read.
    """
    bucket, key = split(address)
    digest = hashlib.sha256()
    try:
        body = _client().get_object(Bucket=bucket, Key=key)["Body"]
        with path.open("wb") as file:
            for chunk in body.iter_chunks(_CHUNK):
                digest.update(chunk)
                file.write(chunk)
    except _failures() as error:
        raise OSError(f"{address}: {error}") from error
    return digest.hexdigest()


def _state(size: int, found: Mapping[str, Any]) -> str:
    """Size and tag; empty where a server gives no tag."""
    return f"{size} {found['ETag']}" if found.get("ETag") else ""


@cache
def _client() -> Any:
    """One per process; it retries what a server refuses for the moment."""
    try:
        import boto3
        from botocore.config import Config
        from botocore.exceptions import BotoCoreError
    except ModuleNotFoundError as error:
        raise SettingsError("recordings in S3 need: pip install 'proctoring-ai[s3]'") from error
    own_server = os.environ.get("AWS_ENDPOINT_URL_S3") or os.environ.get("AWS_ENDPOINT_URL")
    try:
        return boto3.client(
            "s3",
            config=Config(
                retries={"mode": "standard", "total_max_attempts": 5},
                s3={"addressing_style": "path" if own_server else "auto"},
            ),
        )
    except (BotoCoreError, ValueError) as error:
        raise SettingsError(f"S3: {error}") from error


def _failures() -> tuple[type[Exception], ...]:
    _client()
    from botocore.exceptions import BotoCoreError, ClientError

    return BotoCoreError, ClientError
