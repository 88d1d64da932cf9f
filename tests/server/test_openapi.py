"""The OpenAPI document against the server that it describes: every path, asked in every odd way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from pydantic import SecretStr
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)
from tests.server.live import Live, running

from proctoring.server.app import create_app
from proctoring.server.grant import Scope
from proctoring.server.tokens import make_token
from proctoring.settings import Settings
from proctoring.vision.networks import VisionModels

SETTINGS = Settings(token_secret=SecretStr("correct horse battery staple, twice over"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

schema = schemathesis.openapi.from_dict(create_app(SETTINGS).openapi())
# The token is given, so that what lies behind it is reached.
schema.config.generation.update(with_security_parameters=False)

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def guarded(vision_models: VisionModels) -> Iterator[Live]:
    """A server that asks for tokens, with a session and its record."""
    with running(
        vision_models, token_secret=SETTINGS.token_secret, max_requests_per_second=100_000
    ) as live:
        with live.http as http:
            made = http.post("/api/sessions", json={"session_id": "exam-7"}, headers=bearer())
            assert made.status_code == 201, made.text
        yield live


def bearer() -> dict[str, str]:
    token = make_token(SETTINGS, scopes=Scope, sessions=["*"], minutes=60)
    return {"authorization": f"Bearer {token}"}


@schema.parametrize()
@settings(
    max_examples=15,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_every_answer_is_one_that_the_document_describes(
    case: schemathesis.Case[Any], guarded: Live
) -> None:
    answer = case.call(base_url=guarded.address, headers=bearer())
    case.validate_response(answer, checks=CHECKS)


def test_the_server_is_well_after_all_that(guarded: Live) -> None:
    health = httpx.get(f"{guarded.address}/api/health", headers=bearer(), timeout=60).json()
    assert health["status"] in ("ok", "degraded")
