"""The table and the page that a batch ends with."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from tests.batch.made import OPTIONS, digest_of, report

from proctoring.batch.findings import findings_of
from proctoring.batch.results import Results
from proctoring.batch.sources import Source
from proctoring.batch.summary import write_summary


@pytest.fixture
def summary(tmp_path: Path) -> Path:
    """The folder of a batch with all that may happen."""
    found = {
        "quiet.mp4": report("quiet.mp4"),
        "=1+1.mp4": report("=1+1.mp4", [("warning", "Looking Left"), ("warning", "Looking Left")]),
        "<b>.mp4": report("x", [("violation", "Mobile Phone Detected"), ("info", "Too Dark")]),
        "cut.mp4": report("cut.mp4", problem="ends after 3 of its 9 s"),
        "none.mp4": b'{"file": "none.mp4", "complete": false, "failed": "no pictures"}',
    }
    names = [*found, "\udcff.mp4", "waits.mp4"]
    with Results(tmp_path, OPTIONS) as results:
        results.index.list(Source(name, f"/{name}", "1") for name in names)
        for name, result in found.items():
            results.index.set_digest(name, digest_of(name))
            results.add(digest_of(name), result)
        results.index.set_problem("\udcff.mp4", None, "no such file")
        write_summary(results, len(names))
    return tmp_path


def rows(summary: Path) -> list[dict[str, str]]:
    text = (summary / "summary.csv").read_bytes().decode("utf-8-sig")
    return list(csv.DictReader(io.StringIO(text, newline="")))


def test_the_table_is_ordered_by_the_weight_of_what_was_found(summary: Path) -> None:
    found = [row["recording"] for row in rows(summary)]
    assert found[:2] == ["<b>.mp4", "'=1+1.mp4"]
    assert set(found[2:4]) == {"quiet.mp4", "cut.mp4"}
    assert set(found[4:]) == {"none.mp4", "\ufffd.mp4"}


def test_a_row_says_what_was_found_and_where_the_result_is(summary: Path) -> None:
    first, second = rows(summary)[:2]
    assert (first["violations"], first["warnings"], first["infos"], first["alerts"]) == (
        "1",
        "0",
        "1",
        "1",
    )
    assert first["findings"] == "Mobile Phone Detected, Too Dark"
    assert second["findings"] == "Looking Left (2 times)"
    assert (summary / first["result"]).is_file()


def test_a_row_says_why_a_recording_is_not_complete(summary: Path) -> None:
    found = {row["recording"]: row for row in rows(summary)}
    assert found["cut.mp4"]["outcome"] == "incomplete"
    assert found["cut.mp4"]["reason"] == "ends after 3 of its 9 s"
    assert found["none.mp4"]["reason"] == "no pictures"
    assert found["\ufffd.mp4"]["reason"] == "no such file"
    assert found["\ufffd.mp4"]["result"] == ""


def test_the_page_is_one_file_and_executes_no_name(summary: Path) -> None:
    page = (summary / "summary.html").read_text()
    assert "<b>.mp4" not in page
    assert "&lt;b&gt;.mp4" in page
    assert "http" not in page
    assert page.count("<tr>") == 7  # the header, and six of seven recordings
    assert "waits.mp4" not in page


@pytest.mark.parametrize("result", [b"", b"[]", b"{}", b'{"incidents": [{}]}', b"\xff"])
def test_a_file_that_is_no_result_is_recognised(result: bytes) -> None:
    with pytest.raises(ValueError):  # noqa: PT011  (json's own is one, too)
        findings_of(result)
