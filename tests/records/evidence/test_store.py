"""Both stores do the same; the S3 one against a real server."""

from __future__ import annotations

import hashlib
import os
import stat
from pathlib import Path

import pytest
from tests.records.evidence.conftest import S3Server

from proctoring.errors import EvidenceUnavailableError, SettingsError, UnknownEvidenceError
from proctoring.records.evidence.store import EvidenceStore, FolderStore
from proctoring.records.evidence.vault import open_store

DATA = bytes(range(256)) * 40
DIGEST = hashlib.sha256(DATA).hexdigest()


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> EvidenceStore:
    if request.param == "folder":
        return open_store("", tmp_path / "evidence")
    server = request.getfixturevalue("s3_server")
    return open_store("s3://evidence/some/prefix", tmp_path, endpoint=server.endpoint)


def test_what_is_put_can_be_got_until_it_is_deleted(store: EvidenceStore) -> None:
    store.check()
    store.put(DIGEST, DATA)
    assert store.get(DIGEST) == DATA
    store.put(DIGEST, b"anew")
    assert store.get(DIGEST) == b"anew"
    store.delete(DIGEST)
    with pytest.raises(UnknownEvidenceError):
        store.get(DIGEST)
    store.delete(DIGEST)


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "A" * 64, DIGEST + "/x", DIGEST + "\n"])
def test_what_is_no_digest_names_nothing(store: EvidenceStore, name: str) -> None:
    with pytest.raises(UnknownEvidenceError):
        store.get(name)
    with pytest.raises(UnknownEvidenceError):
        store.put(name, DATA)


def test_an_s3_object_lies_under_its_prefix_and_digest(s3_server: S3Server, tmp_path: Path) -> None:
    store = open_store("s3://evidence/some/prefix/", tmp_path, endpoint=s3_server.endpoint)
    store.put(DIGEST, DATA)
    file = s3_server.folder / "evidence" / "some" / "prefix" / DIGEST
    assert file.read_bytes() == DATA


def test_a_file_is_for_the_server_alone_and_no_half_one_remains(tmp_path: Path) -> None:
    store = FolderStore(tmp_path / "evidence")
    store.put(DIGEST, DATA)
    files = [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()]
    assert [path.name for path in files] == [DIGEST]
    assert stat.S_IMODE(files[0].stat().st_mode) == 0o600


def test_a_failed_write_leaves_what_was_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = FolderStore(tmp_path)
    store.put(DIGEST, DATA)

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(EvidenceUnavailableError, match="No space left"):
        store.put(DIGEST, b"half of it")
    monkeypatch.undo()
    assert store.get(DIGEST) == DATA
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [DIGEST]


def test_a_folder_that_cannot_be_one_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    store = FolderStore(tmp_path / "file" / "evidence")
    with pytest.raises(EvidenceUnavailableError, match="cannot be written to"):
        store.check()
    with pytest.raises(EvidenceUnavailableError, match="evidence folder"):
        store.put(DIGEST, DATA)


def test_a_bucket_that_is_not_there_is_named(s3_server: S3Server, tmp_path: Path) -> None:
    store = open_store("s3://nowhere", tmp_path, endpoint=s3_server.endpoint)
    with pytest.raises(EvidenceUnavailableError, match="evidence bucket nowhere"):
        store.check()
    with pytest.raises(EvidenceUnavailableError, match="evidence bucket nowhere"):
        store.get(DIGEST)


def test_a_server_that_does_not_answer_is_no_unknown_evidence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "tester")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-a-secret")
    store = open_store("s3://evidence", tmp_path, endpoint="http://127.0.0.1:9", region="us-east-1")
    for attempt in (store.check, lambda: store.get(DIGEST), lambda: store.put(DIGEST, DATA)):
        with pytest.raises(EvidenceUnavailableError, match="evidence bucket evidence"):
            attempt()


@pytest.mark.parametrize("address", ["http://bucket", "s3://", "bucket", "s3://b/p?x=1"])
def test_an_address_that_is_none_is_refused(address: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="expected s3://bucket"):
        open_store(address, tmp_path)


def test_an_endpoint_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="evidence store"):
        open_store("s3://evidence", tmp_path, endpoint="not an address", region="us-east-1")
