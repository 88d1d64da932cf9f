"""The summary of a batch: a table for spreadsheets, and a page."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from proctoring.batch.index import Line
from proctoring.batch.results import Results
from proctoring.errors import SettingsError
from proctoring.page_template import page_template
from proctoring.spreadsheets import BYTE_ORDER_MARK, csv_line
from proctoring.whole_file import write_stream

CSV, PAGE = "summary.csv", "summary.html"

HEADER = (
    "recording",
    "outcome",
    "reason",
    "violations",
    "warnings",
    "infos",
    "alerts",
    "findings",
    "seconds",
    "cpu_seconds",
    "sha256",
    "result",
)


def write_summary(results: Results, listed: int) -> None:
    """Write both, of the recordings of this run that have a result or failed.

    Args:
        results: the results and their index.
        listed: recordings of the run.

    Raises:
        SettingsError: a file cannot be written.
    """
    outcomes = results.index.outcomes()
    page = page_template("proctoring.batch", "summary.html").generate(
        lines=results.index.lines(),
        name=_shown,
        link=lambda line: _link(results, line),
        length=_length,
        how=results.options,
        listed=listed,
        complete=outcomes.get("complete", 0),
        incomplete=outcomes.get("incomplete", 0),
        failed=outcomes.get("failed", 0),
        written=datetime.now(UTC),
    )
    for name, parts in ((CSV, _table(results)), (PAGE, page)):
        try:
            write_stream(results.folder / name, (part.encode() for part in parts))
        except OSError as error:
            raise SettingsError(f"{results.folder / name}: {error.strerror or error}") from error


def _table(results: Results) -> Iterator[str]:
    yield BYTE_ORDER_MARK + csv_line(HEADER)
    for line in results.index.lines():
        found = line.findings
        yield csv_line(
            (
                _shown(line.name),
                found.outcome,
                found.reason,
                found.violations,
                found.warnings,
                found.infos,
                found.alerts,
                found.text,
                round(found.seconds, 1),
                round(found.cpu, 1),
                line.digest or "",
                _link(results, line),
            )
        )


def _link(results: Results, line: Line) -> str:
    """The result, relative to the summary; empty: there is none."""
    if line.digest is None or not results.index.has_result(line.digest):
        return ""
    return results.path(line.digest).relative_to(results.folder).as_posix()


def _shown(name: str) -> str:
    """A name that can be written: those of files need not be Unicode."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _length(seconds: float) -> str:
    """ "1:02:03", "2:03" within the first hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
