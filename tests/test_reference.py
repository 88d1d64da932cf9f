"""The generated pages of ``docs/reference`` against the code that they describe."""

from __future__ import annotations

import pytest
from tools.reference import FOLDER, PAGES


@pytest.mark.parametrize("name", sorted(PAGES))
def test_a_generated_page_is_what_the_code_gives(name: str) -> None:
    kept = (FOLDER / name).read_text(encoding="utf-8")
    assert kept == PAGES[name](), "run: python -m tools.reference"
