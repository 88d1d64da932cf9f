"""``proctoring token create``: a token that the server takes, or one line that says why not."""

from __future__ import annotations

import asyncio

from pydantic import SecretStr
from typer.testing import CliRunner

from proctoring.cli import app
from proctoring.server.grant import Scope
from proctoring.server.tokens import TokenCheck
from proctoring.settings import Settings

SECRET = "correct horse battery staple, twice over"  # noqa: S105  (no password)


def test_a_token_for_one_session() -> None:
    asked = [
        "token",
        "create",
        "--session",
        "exam-7",
        "--scope",
        "media",
        "--scope",
        "events",
        "--minutes",
        "30",
    ]
    result = CliRunner().invoke(app, asked, env={"PROCTORING_TOKEN_SECRET": SECRET})
    assert result.exit_code == 0, result.output
    check = TokenCheck(Settings(token_secret=SecretStr(SECRET)))
    grant = asyncio.run(check.read(result.stdout.strip()))
    assert grant.scopes == {Scope.MEDIA, Scope.EVENTS}
    assert grant.sessions == ("exam-7",)


def test_without_a_secret() -> None:
    result = CliRunner().invoke(app, ["token", "create", "--scope", "media"])
    assert result.exit_code == 2
    assert "PROCTORING_TOKEN_SECRET" in result.stderr


def test_a_scope_that_there_is_not() -> None:
    for options in (["--scope", "everything"], []):
        result = CliRunner().invoke(
            app, ["token", "create", *options], env={"PROCTORING_TOKEN_SECRET": SECRET}
        )
        assert result.exit_code == 2
        assert "metrics" in result.stderr
