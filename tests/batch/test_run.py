"""What a batch does with its recordings, whatever becomes of its workers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from tests.batch.made import OPTIONS, MadeWorkers, digest_of

from proctoring.batch.messages import Analysed, Answer, Died, Failed, Request, Unusable
from proctoring.batch.options import Options
from proctoring.batch.results import Results
from proctoring.batch.run import Run, Totals
from proctoring.batch.sources import find_sources
from proctoring.errors import AnalysisFailedError, ModelUnavailableError, SettingsError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three recordings of two contents."""
    found = tmp_path / "in"
    found.mkdir()
    for name, content in (("a.mp4", "one"), ("b.mp4", "two"), ("c.mp4", "one")):
        (found / name).write_text(content)
    return found


def run(
    folder: Path,
    workers: MadeWorkers,
    options: Options = OPTIONS,
    *,
    limit: int | None = None,
    retries: int = 2,
) -> tuple[Totals, dict[str, str]]:
    """The totals, and of each recording what became of it."""
    output = folder.parent / "out"
    output.mkdir(exist_ok=True)
    with Results(output, options) as results:
        listed = results.index.list(find_sources(str(folder), output))
        totals = Run(results, workers, listed, limit=limit, retries=retries).run()
        found = {
            line.name: line.findings.reason or line.findings.outcome
            for line in results.index.lines()
        }
    return totals, found


def answering(**given: Callable[[str, int], Answer | None]) -> MadeWorkers:
    """Workers that answer these requests so."""

    def answer(request: Request, location: str, time: int) -> Answer | None:
        return given[request](Path(location).name, time) if request in given else None

    return MadeWorkers(answer=answer)


def test_the_same_content_is_analysed_once_and_listed_twice(folder: Path) -> None:
    workers = MadeWorkers()
    totals, found = run(folder, workers)
    assert found == dict.fromkeys(("a.mp4", "b.mp4", "c.mp4"), "complete")
    assert len(workers.requests("analyse")) == 2
    assert (totals.analysed, totals.kept, totals.done) == (2, 1, 3)


def test_a_second_run_reads_nothing_again(folder: Path) -> None:
    run(folder, MadeWorkers())
    workers = MadeWorkers()
    totals, found = run(folder, workers)
    assert workers.asked == []
    assert (totals.kept, len(found)) == (3, 3)


def test_a_second_run_does_what_is_missing(folder: Path) -> None:
    run(folder, MadeWorkers())
    output = folder.parent / "out" / "results" / OPTIONS.how
    (output / f"{digest_of('two')}.json").unlink()
    (folder / "d.mp4").write_text("three")
    (folder / "a.mp4").write_text("four, longer")
    workers = MadeWorkers()
    _, found = run(folder, workers)
    assert [Path(one).name for one in workers.requests("analyse")] == ["a.mp4", "b.mp4", "d.mp4"]
    assert set(found) == {"a.mp4", "b.mp4", "c.mp4", "d.mp4"}


def test_without_its_index_the_next_run_keeps_the_results(folder: Path) -> None:
    run(folder, MadeWorkers())
    (folder.parent / "out" / "index.sqlite3").write_bytes(b"damaged" * 1000)
    workers = MadeWorkers()
    _, found = run(folder, workers)
    assert workers.requests("analyse") == []
    assert len(found) == 3


def test_another_policy_is_another_result(folder: Path) -> None:
    run(folder, MadeWorkers())
    workers = MadeWorkers()
    run(folder, workers, replace(OPTIONS, mirrored=True))
    assert len(workers.requests("analyse")) == 2


def test_a_damaged_recording_is_a_result_and_is_not_tried_again(folder: Path) -> None:
    failed = Analysed(b'{"file": "b.mp4", "complete": false, "failed": "no pictures"}')
    workers = answering(analyse=lambda name, _: failed if name == "b.mp4" else None)
    totals, found = run(folder, workers)
    assert found["b.mp4"] == "no pictures"
    assert (totals.analysed, totals.failed) == (1, 1)
    again = MadeWorkers()
    _, found = run(folder, again)
    assert again.asked == []
    assert found["b.mp4"] == "no pictures"


@pytest.mark.parametrize("request_", ["prepare", "analyse"])
@pytest.mark.parametrize("answer", [Failed("the disk"), Died("killed")])
def test_what_fails_for_now_is_tried_again(folder: Path, request_: Request, answer: Answer) -> None:
    workers = answering(**{request_: lambda _, time: answer if time == 1 else None})
    totals, found = run(folder, workers)
    assert found == dict.fromkeys(("a.mp4", "b.mp4", "c.mp4"), "complete")
    assert totals.failed == 0
    assert totals.retried >= 2


def test_a_recording_that_kills_its_workers_is_given_up_and_named(folder: Path) -> None:
    workers = answering(analyse=lambda name, _: Died("killed") if name == "b.mp4" else None)
    totals, found = run(folder, workers)
    assert found["b.mp4"] == "killed (tried 3 times)"
    assert found["a.mp4"] == found["c.mp4"] == "complete"
    assert (totals.failed, totals.retried) == (1, 2)
    assert workers.most == 2
    again = MadeWorkers()
    _, found = run(folder, again)
    assert found["b.mp4"] == "complete"
    assert len(again.requests("analyse")) == 1


def test_names_of_a_content_that_fails_all_say_so(folder: Path) -> None:
    workers = answering(analyse=lambda name, _: Failed("no") if name == "a.mp4" else None)
    workers.limit = 3  # the third has the same content at hand while the first is analysed
    _, found = run(folder, workers, retries=0)
    assert found == {"a.mp4": "no", "b.mp4": "complete", "c.mp4": "no"}


def test_a_limit_is_what_is_analysed_not_what_is_listed(folder: Path) -> None:
    workers = MadeWorkers(limit=1)
    _, found = run(folder, workers, limit=1)
    assert len(workers.requests("analyse")) == 1
    assert found["a.mp4"] == "complete"
    assert "b.mp4" not in found
    _, found = run(folder, MadeWorkers(limit=1), limit=1)
    assert set(found) == {"a.mp4", "b.mp4"}
    _, found = run(folder, MadeWorkers(limit=1), limit=1)
    assert len(found) == 3


def test_an_attempt_after_a_failure_is_within_the_limit(folder: Path) -> None:
    workers = answering(analyse=lambda _, time: Failed("no") if time == 1 else None)
    workers.limit = 1
    _, found = run(folder, workers, limit=1)
    assert found["a.mp4"] == "complete"


def test_workers_that_cannot_work_end_the_batch(folder: Path) -> None:
    with pytest.raises(ModelUnavailableError, match="no network"):
        run(folder, answering(load=lambda *_: Unusable("no network")))
    with pytest.raises(AnalysisFailedError, match="killed"):
        run(folder, answering(load=lambda *_: Died("killed")))


def test_no_more_workers_are_started_than_there_is_work(folder: Path) -> None:
    workers = MadeWorkers(limit=8)
    run(folder, workers)
    assert workers.most == 3


def test_two_batches_do_not_write_one_folder(folder: Path) -> None:
    output = folder.parent / "out"
    output.mkdir()
    with Results(output, OPTIONS), pytest.raises(SettingsError, match="another batch"):
        Results(output, OPTIONS)
    with Results(output, OPTIONS):
        pass
