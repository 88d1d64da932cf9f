from __future__ import annotations

import bz2
import hashlib
import io
import os
import socket
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from proctoring.errors import ModelUnavailableError, SettingsError
from proctoring.models.model import Model, ModelFile, PublisherUrl, Source
from proctoring.models.progress import FetchProgress
from proctoring.models.store import ModelStore

from .conftest import Publisher

WEIGHTS = bytes(range(256)) * 4000
DIGEST = hashlib.sha256(WEIGHTS).hexdigest()


def a_model(*sources: Source, digests: tuple[str, ...] = (DIGEST,), name: str = "net") -> Model:
    file = ModelFile("net.onnx", len(WEIGHTS), digests, sources)
    return Model(name, "1", "objects", "Apache-2.0", "somebody", (file,))


def a_store(folder: Path, *models: Model, mirror: Path | None = None) -> ModelStore:
    return ModelStore(folder, mirror, catalogue=models)


def everything_in(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@pytest.mark.parametrize("layout", ["net.onnx", "net/net.onnx"])
def test_the_mirror_is_asked_before_the_publisher(
    tmp_path: Path, publisher: Publisher, layout: str
) -> None:
    mirror = tmp_path / "mirror"
    (mirror / layout).parent.mkdir(parents=True)
    (mirror / layout).write_bytes(WEIGHTS)
    model = a_model(PublisherUrl(f"{publisher.url}/net.onnx"))

    path = a_store(tmp_path / "models", model, mirror=mirror).fetch("net")

    assert path.read_bytes() == WEIGHTS
    assert publisher.asked == []


def test_a_mirror_with_another_file_is_passed_over_for_the_publisher(
    tmp_path: Path, publisher: Publisher
) -> None:
    (tmp_path / "net.onnx").write_bytes(b"something else")
    publisher.files["/net.onnx"] = WEIGHTS
    model = a_model(PublisherUrl(f"{publisher.url}/net.onnx"))

    path = a_store(tmp_path / "models", model, mirror=tmp_path).fetch("net")

    assert path.read_bytes() == WEIGHTS


def test_sources_are_tried_in_their_order_and_all_are_named_when_none_has_it(
    tmp_path: Path, publisher: Publisher
) -> None:
    model = a_model(PublisherUrl(f"{publisher.url}/first"), PublisherUrl(f"{publisher.url}/second"))
    store = a_store(tmp_path, model)

    with pytest.raises(ModelUnavailableError) as caught:
        store.fetch("net")

    assert [path for path, _ in publisher.asked] == ["/first", "/second"]
    assert "/first: answered 404" in caught.value.detail
    assert "/second: answered 404" in caught.value.detail
    assert not (tmp_path / "net").exists()


def test_what_does_not_match_its_digest_is_never_kept(tmp_path: Path, publisher: Publisher) -> None:
    publisher.files["/net.onnx"] = WEIGHTS[:-1] + b"!"
    store = a_store(tmp_path, a_model(PublisherUrl(f"{publisher.url}/net.onnx")))

    with pytest.raises(ModelUnavailableError, match="SHA-256"):
        store.fetch("net")

    assert everything_in(tmp_path) == [".lock"]
    with pytest.raises(ModelUnavailableError, match=r"net\.onnx is not in"):
        store.path("net")


def test_any_of_several_accepted_digests_will_do(tmp_path: Path, publisher: Publisher) -> None:
    publisher.files["/net.onnx"] = WEIGHTS
    model = a_model(PublisherUrl(f"{publisher.url}/net.onnx"), digests=("0" * 64, DIGEST))

    assert a_store(tmp_path, model).fetch("net").read_bytes() == WEIGHTS


def test_a_broken_download_goes_on_where_it_broke(tmp_path: Path, publisher: Publisher) -> None:
    publisher.files["/net.onnx"] = WEIGHTS
    publisher.breaks_after = [300_000]
    store = a_store(tmp_path, a_model(PublisherUrl(f"{publisher.url}/net.onnx")))

    assert store.fetch("net").read_bytes() == WEIGHTS
    ((_, first), (_, second)) = publisher.asked
    assert first is None
    assert second is not None
    assert second.startswith("bytes=")


def test_a_later_run_goes_on_where_an_earlier_one_gave_up(
    tmp_path: Path, publisher: Publisher
) -> None:
    publisher.files["/net.onnx"] = WEIGHTS
    publisher.breaks_after = [300_000, 0, 0]
    model = a_model(PublisherUrl(f"{publisher.url}/net.onnx"))
    with pytest.raises(ModelUnavailableError):
        a_store(tmp_path, model).fetch("net")
    assert not (tmp_path / "net" / "net.onnx").exists()
    publisher.asked.clear()

    assert a_store(tmp_path, model).fetch("net").read_bytes() == WEIGHTS

    assert publisher.asked[0][1] not in {None, "bytes=0-"}
    assert everything_in(tmp_path) == [".lock", "net/net.onnx"]


def test_a_publisher_that_cannot_resume_is_read_from_the_start(
    tmp_path: Path, publisher: Publisher
) -> None:
    publisher.files["/net.onnx"] = WEIGHTS
    publisher.breaks_after = [300_000]
    publisher.knows_ranges = False
    store = a_store(tmp_path, a_model(PublisherUrl(f"{publisher.url}/net.onnx")))

    assert store.fetch("net").read_bytes() == WEIGHTS


def test_what_an_earlier_run_left_and_does_not_fit_is_thrown_away(
    tmp_path: Path, publisher: Publisher
) -> None:
    publisher.files["/net.onnx"] = WEIGHTS
    left = tmp_path / "net" / "net.onnx.new.part"
    left.parent.mkdir()
    left.write_bytes(b"x" * (len(WEIGHTS) + 5))
    store = a_store(tmp_path, a_model(PublisherUrl(f"{publisher.url}/net.onnx")))

    assert store.fetch("net").read_bytes() == WEIGHTS


def test_a_publisher_out_of_breath_is_asked_again(tmp_path: Path, publisher: Publisher) -> None:
    publisher.files["/net.onnx"] = WEIGHTS
    publisher.statuses = [503, 429]
    store = a_store(tmp_path, a_model(PublisherUrl(f"{publisher.url}/net.onnx")))

    assert store.fetch("net").read_bytes() == WEIGHTS
    assert len(publisher.asked) == 3


def packed_tar(member: str) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz") as archive:
        info = tarfile.TarInfo(member)
        info.size = len(WEIGHTS)
        archive.addfile(info, io.BytesIO(WEIGHTS))
    return out.getvalue()


@pytest.mark.parametrize(
    ("path", "content", "member"),
    [
        ("/net.dat.bz2", bz2.compress(WEIGHTS), None),
        ("/net.tar.gz", packed_tar("folder/graph.pb"), "folder/graph.pb"),
    ],
)
def test_packed_weights_are_unpacked(
    tmp_path: Path, publisher: Publisher, path: str, content: bytes, member: str | None
) -> None:
    publisher.files[path] = content
    store = a_store(tmp_path, a_model(PublisherUrl(publisher.url + path, member)))

    assert store.fetch("net").read_bytes() == WEIGHTS
    assert everything_in(tmp_path) == [".lock", "net/net.onnx"]


@pytest.mark.parametrize("path", ["/net.dat.bz2", "/net.tar.gz"])
def test_an_archive_that_is_none_is_named(tmp_path: Path, publisher: Publisher, path: str) -> None:
    publisher.files[path] = b"<html>not here</html>"
    member = "graph.pb" if path.endswith("gz") else None
    store = a_store(tmp_path, a_model(PublisherUrl(publisher.url + path, member)))

    with pytest.raises(ModelUnavailableError, match="cannot be unpacked"):
        store.fetch("net")


def test_a_host_that_cannot_be_resolved_is_asked_only_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Any] = []
    resolve = socket.getaddrinfo

    def watched(host: Any, *args: Any, **kwargs: Any) -> Any:
        asked.append(host)
        return resolve(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", watched)
    models = [
        a_model(PublisherUrl(f"http://nowhere.invalid/{n}"), name=f"net{n}") for n in range(3)
    ]
    store = a_store(tmp_path, *models)

    for model in models:
        with pytest.raises(ModelUnavailableError, match=r"nowhere\.invalid cannot be resolved"):
            store.fetch(model.name)

    assert asked == ["nowhere.invalid"]


def test_a_publisher_that_refuses_connections_is_named(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/net.onnx"
        with pytest.raises(ModelUnavailableError, match=r"127\.0\.0\.1"):
            a_store(tmp_path, a_model(PublisherUrl(url))).fetch("net")


def test_progress_counts_up_to_the_whole(tmp_path: Path, publisher: Publisher) -> None:
    publisher.files["/net.onnx"] = WEIGHTS
    steps: list[FetchProgress] = []
    store = a_store(tmp_path, a_model(PublisherUrl(f"{publisher.url}/net.onnx")))

    store.fetch("net", steps.append)

    received = [step.received for step in steps]
    assert received == sorted(received)
    assert received[-1] == steps[-1].total == len(WEIGHTS)
    assert {step.model for step in steps} == {"net"}


def test_what_is_present_is_neither_fetched_nor_written_again(
    tmp_path: Path, publisher: Publisher
) -> None:
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "net.onnx").write_bytes(WEIGHTS)
    store = a_store(tmp_path, a_model(PublisherUrl(f"{publisher.url}/net.onnx")))

    assert store.fetch("net") == store.path("net") == tmp_path / "net" / "net.onnx"
    assert publisher.asked == []
    assert everything_in(tmp_path) == ["net/net.onnx"]


def test_a_damaged_file_is_reported_and_fetched_again(tmp_path: Path, publisher: Publisher) -> None:
    publisher.files["/net.onnx"] = WEIGHTS
    (tmp_path / "net").mkdir()
    (tmp_path / "net" / "net.onnx").write_bytes(WEIGHTS[:-1])
    store = a_store(tmp_path, a_model(PublisherUrl(f"{publisher.url}/net.onnx")))

    (status,) = store.statuses()
    assert status.state == "damaged"
    with pytest.raises(ModelUnavailableError, match="does not match"):
        store.path("net")
    assert store.fetch("net").read_bytes() == WEIGHTS
    (status,) = store.statuses()
    assert status.state == "present"


def test_a_folder_that_cannot_be_written_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("not a folder")
    store = a_store(tmp_path / "file" / "models", a_model())

    with pytest.raises(SettingsError, match=r"models folder .* cannot be written"):
        store.fetch("net")


def test_an_unknown_model_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="there is no model named 'nothing'"):
        a_store(tmp_path).fetch("nothing")


FETCH = """
import sys
from pathlib import Path
from proctoring.models.model import Model, ModelFile, PublisherUrl
from proctoring.models.store import ModelStore
folder, url, size, digest = sys.argv[1:]
file = ModelFile("net.onnx", int(size), (digest,), (PublisherUrl(url),))
model = Model("net", "1", "objects", "Apache-2.0", "somebody", (file,))
print(ModelStore(Path(folder), catalogue=(model,)).fetch("net"))
"""


def test_processes_that_fetch_one_model_at_once_download_it_once(
    tmp_path: Path, publisher: Publisher
) -> None:
    publisher.files["/net.onnx"] = WEIGHTS
    publisher.delay = 0.5
    call = [sys.executable, "-c", FETCH, str(tmp_path), f"{publisher.url}/net.onnx"]
    call += [str(len(WEIGHTS)), DIGEST]

    processes = [
        subprocess.Popen(call, stdout=subprocess.PIPE, text=True, env=os.environ) for _ in range(2)
    ]
    told = [process.communicate()[0].strip() for process in processes]

    assert told == [str(tmp_path / "net" / "net.onnx")] * 2
    assert Path(told[0]).read_bytes() == WEIGHTS
    assert len(publisher.asked) == 1
