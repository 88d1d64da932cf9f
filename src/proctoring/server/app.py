"""The web application: routes, middleware and error handlers over one service."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.responses import FileResponse
from fastapi.staticfiles import StaticFiles
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import HTTPConnection
from starlette.responses import Response
from starlette.websockets import WebSocket, WebSocketState

from proctoring import __version__
from proctoring.errors import (
    BadRequestError,
    InvalidRequestError,
    MethodNotAllowedError,
    ProctoringError,
    UnknownPathError,
)
from proctoring.server import (
    drain_rest,
    erasure_rest,
    evidence_rest,
    metrics,
    ready_rest,
    records_rest,
    report_rest,
    rest,
    review_pages,
    sign_in_rest,
    sockets,
)
from proctoring.server.access import AccessMode
from proctoring.server.authorisation import Authorisation
from proctoring.server.closing import close
from proctoring.server.error_answers import COMMON, error_response, errors
from proctoring.server.guard import Guard
from proctoring.server.openapi_app import OpenApiApp
from proctoring.server.service import Service
from proctoring.server.tokens import token_check
from proctoring.server.viewer_files import add_viewer
from proctoring.settings import Settings, read_settings

_log = logging.getLogger(__name__)

OPEN_PATHS = frozenset({"/", "/page", "/docs", "/docs/start.js", "/docs/viewer", "/openapi.json"})
"""Paths that need no token: the pages' files and the OpenAPI document contain no session's data."""

PAGE = Path(__file__).parent / "page"

_DESCRIPTION = """\
Video in over `/ws/proctor/{session_id}/video` (one binary message, one JPEG), judged incidents out
over `/ws/proctor/{session_id}/events` (JSON text). A session begins with its first socket, or
beforehand with `POST /api/sessions`.
"""


def create_app(settings: Settings | None = None, *, service: Service | None = None) -> FastAPI:
    """The application, not yet started.

    Args:
        settings: read from the environment unless given.
        service: made from the settings unless given.

    Raises:
        SettingsError: a database, folder or policy that the settings name cannot be used.
    """
    if service is None:
        service = Service(settings or read_settings())
    running = service

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        await running.start()
        try:
            yield
        finally:
            await running.stop()

    app = OpenApiApp(
        title="Proctoring",
        version=__version__,
        description=_DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        responses=errors(*COMMON),
    )
    app.state.service = service
    chosen = service.settings
    check = token_check(chosen)
    app.state.token_check = check
    app.add_middleware(
        Authorisation,
        check=check,
        open_paths=OPEN_PATHS,
        session_of=lambda sitting: _session_of(running, sitting),
    )
    if service.cluster is not None:
        service.cluster.wrap(app, partial(rest.live_sessions, service))
    app.add_middleware(
        Guard,
        local_only=service.access is AccessMode.LOCAL,
        allowed_origins=chosen.allowed_origins,
        requests_per_second=chosen.max_requests_per_second,
        now=service.now,
    )
    if service.cluster is not None:
        service.cluster.recognise_peers(app)
    metrics.register(service)
    app.add_exception_handler(ProctoringError, _answer_proctoring_error)
    app.add_exception_handler(RequestValidationError, _answer_validation_error)
    app.add_exception_handler(HTTPException, _answer_http_exception)
    app.add_exception_handler(SQLAlchemyError, _answer_database_error)
    app.include_router(rest.router)
    app.include_router(ready_rest.router)
    app.include_router(drain_rest.router)
    app.include_router(sign_in_rest.router)
    app.include_router(records_rest.router)
    app.include_router(erasure_rest.router)
    app.include_router(report_rest.router)
    app.include_router(evidence_rest.router)
    app.include_router(sockets.router)
    add_viewer(app)
    if (PAGE / "index.html").is_file():
        app.include_router(review_pages.router)
        app.mount("/page", StaticFiles(directory=PAGE), name="page")
        app.add_api_route(
            "/", _index, response_class=FileResponse, include_in_schema=False, methods=["GET"]
        )
    return app


def _session_of(service: Service, sitting: str) -> str | None:
    try:
        return service.storage.records.reader.session_of(sitting)
    except SQLAlchemyError as error:
        raise records_rest.database_error(error) from error


async def _index() -> FileResponse:
    return FileResponse(PAGE / "index.html")


async def _answer_proctoring_error(connection: HTTPConnection, error: Exception) -> Any:
    """Answer a request or a handshake; close a socket that is open already."""
    assert isinstance(error, ProctoringError)  # noqa: S101  (registered for it)
    if (
        isinstance(connection, WebSocket)
        and connection.application_state is not WebSocketState.CONNECTING
    ):
        await close(connection, error)
        return None
    return error_response(error)


async def _answer_database_error(connection: HTTPConnection, error: Exception) -> Any:
    assert isinstance(error, SQLAlchemyError)  # noqa: S101  (registered for it)
    _log.error("the database failed: %s", type(error).__name__)
    return await _answer_proctoring_error(connection, records_rest.database_error(error))


async def _answer_validation_error(_: HTTPConnection, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  (registered for it)
    problems = [
        f"{'.'.join(str(part)[:100] for part in found['loc'])}: {found['msg'][:300]}"
        for found in error.errors()[:10]
    ]
    return error_response(InvalidRequestError("; ".join(problems)))


async def _answer_http_exception(_: HTTPConnection, error: Exception) -> Response:
    """Answer errors that the framework raises itself."""
    assert isinstance(error, HTTPException)  # noqa: S101  (registered for it)
    kind = {404: UnknownPathError, 405: MethodNotAllowedError}.get(
        error.status_code, BadRequestError
    )
    return error_response(kind(str(error.detail)))
