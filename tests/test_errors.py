"""The tree of errors: what each says to clients."""

from __future__ import annotations

import ast
import inspect
from pathlib import Path

import pytest

from proctoring import errors
from proctoring.error_list import all_errors, closes_for_good
from proctoring.errors import ProctoringError

SOURCE = Path(errors.__file__).parent
ALL = list(all_errors())


def test_every_error_of_the_package_is_defined_in_one_place() -> None:
    named = {name for name, _ in inspect.getmembers(errors, inspect.isclass)}
    elsewhere = [
        f"{file.name}: {node.name}"
        for file in SOURCE.rglob("*.py")
        if file.name != "errors.py"
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.ClassDef) and named & {ast.unparse(base) for base in node.bases}
    ]
    assert elsewhere == []


@pytest.mark.parametrize("error", ALL, ids=lambda error: error.code)
def test_an_error_says_what_clients_need(error: type[ProctoringError]) -> None:
    assert "code" in vars(error)
    assert error.code.replace("_", "").isalpha()
    assert error.code.islower()
    assert 400 <= error.status <= 599
    assert isinstance(error.retryable, bool)
    assert error.retry_after is None or error.retryable
    assert (error.__doc__ or "").endswith(".")


def test_codes_are_unique() -> None:
    codes = [error.code for error in ALL]
    assert sorted(codes) == sorted(set(codes))


def test_errors_that_close_a_socket_with_the_same_code_agree_on_whether_to_come_back() -> None:
    closing: dict[int, set[bool]] = {}
    for error in ALL:
        if error.close_code is not None:
            closing.setdefault(error.close_code, set()).add(error.retryable)
    assert {1003, 1012, 1013, 4000, 4001, 4003, 4004, 4008, 4009} == set(closing)
    for code, retryable in closing.items():
        assert len(retryable) == 1, code
        assert closes_for_good(code) is not retryable.pop()


@pytest.mark.parametrize(
    ("code", "retryable"),
    [
        ("session_closing", True),
        ("records_unavailable", True),
        ("evidence_unavailable", True),
        ("not_ready", True),
        ("too_many", True),
        ("overloaded", True),
        ("too_many_requests", True),
        ("session_exists", False),
        ("unknown_session", False),
        ("records_off", False),
        ("model_unavailable", False),
        ("forbidden", False),
        ("ended", False),
    ],
)
def test_what_passes_may_be_tried_again_and_what_does_not_may_not(
    code: str, retryable: bool
) -> None:
    (error,) = (error for error in ALL if error.code == code)
    assert error.retryable is retryable
