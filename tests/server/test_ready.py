"""``/api/ready``: 503 with the reasons until sessions can begin, and while they could not be analysed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import SecretStr
from starlette.testclient import TestClient, WebSocketDenialResponse
from tests.session.conftest import BLIND, DEAF

from proctoring.capabilities import Capability
from proctoring.errors import ModelUnavailableError
from proctoring.models.progress import FetchProgress
from proctoring.server.app import create_app
from proctoring.server.model_loading import ModelLoading
from proctoring.server.service import Service
from proctoring.session.loaded_models import Models
from proctoring.settings import Settings

SEEING = replace(BLIND, capabilities=(Capability("faces", True, "", "face_landmarker"),))
MISSING = Capability("faces", False, "face_landmarker cannot be had", "face_landmarker")


@pytest.fixture
def loading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModelLoading:
    """Models that are being loaded until the test says otherwise."""
    held = ModelLoading(Settings(models_folder=tmp_path))
    monkeypatch.setattr(held, "start", lambda: None)
    return held


@pytest.fixture
def client(tmp_path: Path, loading: ModelLoading) -> Iterator[TestClient]:
    service = Service(Settings(data_folder=tmp_path), loading=loading)
    with TestClient(create_app(service=service), "http://localhost") as client:
        yield client


def test_it_is_503_with_what_is_being_done_while_models_load(
    client: TestClient, loading: ModelLoading
) -> None:
    loading._fetching(FetchProgress("ssd_mobilenet_v2", "graph.pb", "somewhere", 3, 10))
    answer = client.get("/api/ready")
    assert answer.status_code == 503
    assert answer.json()["error"] == {
        "code": "not_ready",
        "detail": "the server is starting: fetching ssd_mobilenet_v2, 30%",
        "retryable": True,
    }
    assert answer.headers["retry-after"]
    assert client.get("/api/health").json()["status"] == "starting"


def test_a_socket_is_refused_with_503_while_models_load(client: TestClient) -> None:
    with (
        pytest.raises(WebSocketDenialResponse) as refused,
        client.websocket_connect("ws://localhost/ws/proctor/a/video"),
    ):
        pass
    assert refused.value.status_code == 503
    assert refused.value.json()["error"]["code"] == "not_ready"
    assert refused.value.headers["retry-after"]


def test_it_is_200_once_they_are_loaded(client: TestClient, loading: ModelLoading) -> None:
    loading._models.set_result(Models(SEEING, DEAF))
    answer = client.get("/api/ready")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok"}


def test_it_is_503_with_the_reasons_if_nothing_can_be_analysed(
    client: TestClient, loading: ModelLoading
) -> None:
    loading._models.set_result(Models(replace(BLIND, capabilities=(MISSING,)), DEAF))
    answer = client.get("/api/ready")
    assert answer.status_code == 503
    assert "face_landmarker cannot be had" in answer.json()["error"]["detail"]


def test_it_is_503_with_the_reason_if_loading_failed(
    client: TestClient, loading: ModelLoading
) -> None:
    loading._models.set_exception(ModelUnavailableError("the disk is full"))
    answer = client.get("/api/ready")
    assert answer.status_code == 503
    assert "the disk is full" in answer.json()["error"]["detail"]


def test_without_a_token_no_reasons_are_given(tmp_path: Path, loading: ModelLoading) -> None:
    settings = Settings(data_folder=tmp_path, token_secret=SecretStr("s" * 32))
    app = create_app(service=Service(settings, loading=loading))
    with TestClient(app, "http://localhost") as client:
        answer = client.get("/api/ready")
    assert answer.status_code == 503
    assert answer.json()["error"]["detail"] == "not ready"
