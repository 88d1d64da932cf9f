"""The page of a batch in a real browser: opened as a file, as its readers do."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from tests.batch.made import OPTIONS, digest_of, report
from tests.server.browser import in_browser, launched, silent_page
from tests.server.test_page import accessibility_violations

from proctoring.batch.results import Results
from proctoring.batch.sources import Source
from proctoring.batch.summary import write_summary

pytestmark = in_browser


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    found = {
        "calm.mp4": report("calm.mp4"),
        "phone.mp4": report("phone.mp4", [("violation", "Mobile Phone Detected")]),
        "left 10.mp4": report("left 10.mp4", [("warning", "Looking Left")] * 10),
        "left 9.mp4": report("left 9.mp4", [("warning", "Looking Left")] * 9),
        "none.mp4": b'{"file": "none.mp4", "complete": false, "failed": "no pictures"}',
    }
    with Results(tmp_path, OPTIONS) as results:
        results.index.list(Source(name, f"/{name}", "1") for name in found)
        for name, result in found.items():
            results.index.set_digest(name, digest_of(name))
            results.add(digest_of(name), result)
        write_summary(results, len(found))
    with launched() as browser, silent_page(browser) as opened:
        opened.goto((tmp_path / "summary.html").as_uri())
        yield opened


def names(page: Page) -> list[str]:
    return page.locator("tbody tr:visible th").all_inner_texts()


def test_recordings_are_sorted_found_and_opened(page: Page) -> None:
    weight = ["phone.mp4", "left 10.mp4", "left 9.mp4", "calm.mp4", "none.mp4"]
    assert names(page) == weight
    page.get_by_role("button", name="Recording").click()
    assert names(page) == ["calm.mp4", "left 9.mp4", "left 10.mp4", "none.mp4", "phone.mp4"]
    page.get_by_role("button", name="Warnings").click()
    assert names(page)[:2] == ["left 10.mp4", "left 9.mp4"]
    page.get_by_role("button", name="Warnings").click()
    assert names(page)[0] == "none.mp4"
    page.get_by_role("button", name="Findings").click()
    assert names(page) == weight
    expect(page.get_by_role("columnheader", name="Findings")).to_have_attribute(
        "aria-sort", "descending"
    )
    page.get_by_label("Part of the name").fill("LEFT")
    assert names(page) == ["left 10.mp4", "left 9.mp4"]
    page.get_by_role("link", name="left 9.mp4").click()
    page.wait_for_url("**/results/*/*.json")
    assert '"Looking Left"' in page.content()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_accessible(page: Page, scheme: str) -> None:
    page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
    assert accessibility_violations(page) == []
