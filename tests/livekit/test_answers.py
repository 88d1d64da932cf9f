from __future__ import annotations

import pytest
from websockets.datastructures import Headers

from proctoring.livekit.answers import read_error


@pytest.mark.parametrize(
    ("values", "seconds"),
    [
        ([], 0.0),
        (["5"], 5.0),
        (["86400"], 60.0),
        (["Fri, 02 Jan 2026 10:00:00 GMT"], 0.0),
        (["1", "2"], 0.0),
    ],
)
def test_a_retry_waits_as_long_as_the_answer_asks_but_never_for_long(
    values: list[str], seconds: float
) -> None:
    headers = Headers([("Retry-After", value) for value in values])
    assert read_error(503, headers, b"").retry_after == seconds
