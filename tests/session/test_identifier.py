"""Names of sessions."""

from __future__ import annotations

import pytest

from proctoring.errors import BadSessionIdError
from proctoring.session.identifier import check_session_id


@pytest.mark.parametrize("good", ["a", "exam-7", "A_b-c.d:e@f~0", "x" * 200])
def test_good_names_pass(good: str) -> None:
    assert check_session_id(good) == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        " ",
        "a b",
        "a/b",
        "../x",
        "a\n",
        "a\x00",
        "x" * 201,
        "x" * 10_000,
        "ä",
        "a%20b",
        "٣",
        ".",
        "..",
        "...",
        ".a",
        "a.",
        "a..",
        "%2e",
        "%2E%2e",
        "a\r\nb",
        "a\x7f",
        "x" * 199 + ".",
    ],
)
def test_bad_names_are_refused_with_a_short_reason(bad: str) -> None:
    with pytest.raises(BadSessionIdError, match="is no session id") as caught:
        check_session_id(bad)
    assert len(caught.value.detail) < 200
