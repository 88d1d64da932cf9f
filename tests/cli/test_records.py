"""``proctoring records`` as an operator uses it."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text
from tests.records.conftest import BEGAN, beginning, ending, incident_of, occurrence, tell
from typer.testing import CliRunner, Result

from proctoring.cli import app
from proctoring.records.archive import Archive, open_archive
from proctoring.records.database import writing
from proctoring.records.review import decide


def records(folder: Path, *arguments: str, database: str | None = None) -> Result:
    chosen = {"PROCTORING_DATA_FOLDER": str(folder), "PROCTORING_DATABASE": database}
    return CliRunner().invoke(app, ["records", *arguments], env=chosen)


@pytest.fixture
def kept(tmp_path: Path) -> Archive:
    """Records of two sittings, one of them decided on."""
    archive = open_archive(None, tmp_path, BEGAN)
    for name in ("S1", "S2"):
        events = [occurrence(n, sitting_id=name, session_id=name) for n in (1, 2)]
        archive.writer().write([beginning(name, name), *events, ending(name, name)], tell)
    decide(archive.engine, archive.signer, "S1", incident_of("S1"), "confirm", "why", "rev", BEGAN)
    return archive


def test_status_says_what_is_pending_and_migrate_does_it(tmp_path: Path) -> None:
    before = records(tmp_path, "status")
    assert before.exit_code == 0, before.output
    assert "migration none of" in before.stdout
    assert before.stdout.count("pending: 0001 ") == 1
    done = records(tmp_path, "migrate")
    assert done.exit_code == 0, done.output
    after = records(tmp_path, "status")
    assert "pending" not in after.stdout
    assert after.stdout.split(" of ")[1].strip() in done.stdout


def test_verify_finds_nothing_where_nothing_was_changed(kept: Archive, tmp_path: Path) -> None:
    result = records(tmp_path, "verify")
    assert result.exit_code == 0, result.output
    assert "unchanged since it was written" in result.stdout
    assert kept.signer.public_key in result.stdout


@pytest.mark.parametrize(
    ("tampering", "said"),
    [
        ("update events set body = '{}' where sitting_id = 'S1' and seq = 1", "event 1 was"),
        ("update decisions set decision = 'dismiss'", "was changed"),
        ("delete from decisions", "0 decisions and consents are kept, of 1"),
    ],
)
def test_verify_names_what_was_changed_and_exits_with_1(
    kept: Archive, tmp_path: Path, tampering: str, said: str
) -> None:
    with writing(kept.engine) as connection:
        connection.execute(text(tampering))
    result = records(tmp_path, "verify")
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert any(line.startswith("sitting S1: ") and said in line for line in lines), lines
    assert records(tmp_path, "verify", "S2").exit_code == 0
    assert records(tmp_path, "verify", "S1").exit_code == 1


def test_another_key_than_the_one_it_was_sealed_with_shows(kept: Archive, tmp_path: Path) -> None:
    (tmp_path / "signing.key").unlink()
    result = records(tmp_path, "verify")
    assert result.exit_code == 1
    assert "seal of its end is not this server's" in result.stdout
    assert kept.signer.public_key not in result.stdout


def test_a_sitting_that_is_not_kept_is_no_proof_of_anything(kept: Archive, tmp_path: Path) -> None:
    kept.engine.dispose()
    result = records(tmp_path, "verify", "S9")
    assert result.exit_code == 2
    assert result.stderr == "error: no sitting S9 is kept\n"


@pytest.mark.parametrize("command", ["status", "migrate", "verify"])
def test_a_database_that_cannot_be_used_is_one_line_and_exit_code_2(
    tmp_path: Path, command: str
) -> None:
    for database in ("mysql://u:hunter2@host/name", "postgresql://u:hunter2@127.0.0.1:9/name"):
        result = records(tmp_path, command, database=database)
        assert result.exit_code == 2, result.output
        assert result.stderr.startswith("error: database")
        assert result.stderr.count("\n") == 1
        assert "hunter2" not in result.output
