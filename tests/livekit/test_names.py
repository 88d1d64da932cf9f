from __future__ import annotations

from urllib.parse import quote, unquote

from hypothesis import given
from hypothesis import strategies as st

from proctoring.livekit.names import session_id
from proctoring.session.identifier import check_session_id

names = st.text(st.characters(exclude_categories=["Cs"]), max_size=300)


def test_plain_names_stay_readable() -> None:
    assert session_id("exam-7", "maria@school.org") == "exam-7:maria@school.org"


def test_what_is_not_allowed_is_written_in_bytes() -> None:
    assert session_id("Prüfung 1", "a/b~c") == "Pr~c3~bcfung~201:a~2fb~7ec"


@given(names, names)
def test_every_name_is_one_that_the_server_takes(room: str, identity: str) -> None:
    made = session_id(room, identity)
    assert check_session_id(made) == made
    assert unquote(quote(made, safe="")) == made


@given(names, names, names, names)
def test_two_candidates_never_share_a_name(a: str, b: str, c: str, d: str) -> None:
    assert (session_id(a, b) == session_id(c, d)) == ((a, b) == (c, d))


def test_dots_at_the_ends_are_written_in_bytes() -> None:
    assert session_id("..", "a.") == "~2e.:a~2e"


def test_a_colon_in_a_room_is_not_the_colon_between() -> None:
    assert session_id("a:b", "c") != session_id("a", "b:c")
