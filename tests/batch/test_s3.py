"""Recordings in a real S3-compatible server."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.records.evidence.conftest import S3Server, s3_server

from proctoring.batch import s3
from proctoring.batch.sources import Source, find_sources
from proctoring.errors import SettingsError

__all__ = ["s3_server"]  # a fixture

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture
def bucket(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the bucket ``exams``: files are its objects."""
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", s3_server.endpoint)
    folder = s3_server.folder / "exams"
    folder.mkdir(exist_ok=True)
    s3._client.cache_clear()
    for name in ("spring/a.mp4", "spring/b/c.WAV", "spring/notes.txt", "summer/d.mp4"):
        s3._client().put_object(Bucket="exams", Key=name, Body=name.encode() * 1000)
    yield folder
    s3._client.cache_clear()


def found(given: str, tmp_path: Path) -> list[Source]:
    return list(find_sources(given, tmp_path))


def test_a_prefix_names_the_recordings_below_it(bucket: Path, tmp_path: Path) -> None:
    sources = found("s3://exams/spring/", tmp_path)
    assert [(one.name, one.location) for one in sources] == [
        ("a.mp4", "s3://exams/spring/a.mp4"),
        ("b/c.WAV", "s3://exams/spring/b/c.WAV"),
    ]
    assert len(found("s3://exams", tmp_path)) == 3


def test_a_listed_object_is_known_by_the_same_state(bucket: Path, tmp_path: Path) -> None:
    (tmp_path / "list").write_text("s3://exams/spring/a.mp4\ns3://exams/absent.mp4\n")
    listed, absent = found(str(tmp_path / "list"), tmp_path)
    assert listed.state
    assert listed.state == found("s3://exams/spring/", tmp_path)[0].state
    assert absent.state == ""


def test_an_object_is_brought_with_the_digest_of_its_content(bucket: Path, tmp_path: Path) -> None:
    digest = s3.download("s3://exams/spring/a.mp4", tmp_path / "a.mp4")
    content = (tmp_path / "a.mp4").read_bytes()
    assert content == (bucket / "spring" / "a.mp4").read_bytes()
    assert digest == hashlib.sha256(content).hexdigest()


def test_what_is_not_there_is_said(bucket: Path, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="absent"):
        found("s3://absent/spring", tmp_path)
    with pytest.raises(OSError, match=r"absent\.mp4"):
        s3.download("s3://exams/absent.mp4", tmp_path / "absent.mp4")
