"""Policies: loading, validation and error messages."""

from __future__ import annotations

import re
import tomllib
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from proctoring.errors import BadPolicyError
from proctoring.incidents import LABELS, Severity
from proctoring.judgement import (
    load_policy,
    parse_policy,
    read_policy,
    shipped_policies,
    shipped_policy,
)
from proctoring.judgement.policy import MAX_POLICY_BYTES, Policy
from proctoring.judgement.policy.outline import outline
from proctoring.judgement.policy.rule import Hits, Misses

# kind: severity, persist, closes_after, cooldown
DEFAULTS: dict[str, tuple[str, object, object, float]] = {
    **{
        f"{what}.{side}": ("warning", 2.0, 0.7, 30)
        for what in ("gaze", "head")
        for side in ("left", "right", "up", "down")
    },
    "face.absent": ("violation", 3.0, 1.0, 30),
    "person.multiple": ("violation", 1.0, 2.0, 30),
    "object.phone": ("violation", Hits(hits=2, of=3), Misses(misses=3), 30),
    "session.connection_lost": ("info", 5.0, 0, 0),
}


def test_three_policies_are_shipped() -> None:
    assert {"exam", "interview", "lenient"} <= set(shipped_policies())


@pytest.mark.parametrize("name", shipped_policies())
def test_a_shipped_policy_has_its_name_a_description_and_a_rule_for_every_kind(name: str) -> None:
    policy = load_policy(name)
    assert policy.name == name
    assert policy.description
    assert policy.incidents.keys() == LABELS.keys()


@pytest.mark.parametrize(("kind", "row"), DEFAULTS.items())
def test_the_exam_policy_has_the_default_rules(
    kind: str, row: tuple[str, object, object, float]
) -> None:
    rule = shipped_policy("exam").incidents[kind]
    assert (rule.severity.value, rule.persist, rule.closes_after, rule.cooldown) == row
    assert rule.enabled


@pytest.mark.parametrize("name", shipped_policies())
def test_the_toml_of_a_policy_parses_to_the_same_policy(name: str) -> None:
    policy = shipped_policy(name)
    assert parse_policy(policy.to_toml()) == policy


def test_a_file_overrides_only_the_settings_it_names(tmp_path: Path) -> None:
    file = tmp_path / "strict.toml"
    file.write_text('name = "strict"\n[incidents."gaze.left"]\npersist = 1.0\nseverity = "info"\n')
    strict, exam = load_policy(file), shipped_policy("exam")
    assert strict.incidents["gaze.left"].persist == 1.0
    assert strict.incidents["gaze.left"].severity is Severity.INFO
    assert strict.incidents["gaze.left"].closes_after == 0.7
    assert strict.incidents["gaze.right"] == exam.incidents["gaze.right"]
    assert load_policy(str(file)) == strict


REFUSED = {
    "not toml": ("name = ", "not TOML"),
    "no name": ("", "name: Field required"),
    "a name with slashes": ('name = "a/b"', "name:"),
    "an unknown setting": ('name = "a"\nspeed = 1', "speed: unknown setting"),
    "an unknown side": ('name = "a"\n[screen]\nleftt = 1', "screen.leftt: unknown setting"),
    "a misspelt kind": (
        'name = "a"\n[incidents."gaze.lefft"]',
        "incidents: unknown 'gaze.lefft'; did you mean 'gaze.left'?",
    ),
    "an unquoted kind": ('name = "a"\n[incidents.gaze.left]\ncooldown = 1', "unknown 'gaze'"),
    "a kind that is no table": ('name = "a"\n[incidents]\n"gaze.left" = 3', "expected a table"),
    "incidents that are no table": ('name = "a"\nincidents = 3', "incidents: expected a table"),
    "an unknown setting of a kind": (
        'name = "a"\n[incidents."gaze.left"]\npersists = 1',
        "incidents.gaze.left.persists: unknown setting",
    ),
    "a negative time": (
        'name = "a"\n[incidents."gaze.left"]\npersist = -1',
        "incidents.gaze.left.persist: Input should be greater than or equal to 0",
    ),
    "an endless time": (
        'name = "a"\n[incidents."gaze.left"]\ncooldown = inf',
        "cooldown: Input should",
    ),
    "a time that is no number": (
        'name = "a"\n[incidents."gaze.left"]\npersist = "long"',
        "incidents.gaze.left.persist: Input should be a valid number",
    ),
    "an impossible share": (
        'name = "a"\n[incidents."gaze.left"]\nmin_share = 1.5',
        "min_share: Input",
    ),
    "an unknown severity": (
        'name = "a"\n[incidents."gaze.left"]\nseverity = "fatal"',
        "severity: Input should be 'info', 'warning' or 'violation'",
    ),
    "more hits than detections": (
        'name = "a"\n[incidents."object.phone"]\npersist = {hits = 4, of = 3}',
        "incidents.object.phone.persist: 4 hits of the last 3 are impossible",
    ),
    "seconds together with a count": (
        'name = "a"\n[incidents."object.phone"]\ncloses_after = 3.0',
        "incidents.object.phone: persist and closes_after must both be seconds or both be counts",
    ),
    "a screen of no width": ('name = "a"\n[screen]\nleft = 0', "screen.left: Input should"),
    "an impossible score": (
        'name = "a"\n[objects]\nmin_phone_score = 2',
        "objects.min_phone_score: Input",
    ),
}


@pytest.mark.parametrize(("text", "problem"), REFUSED.values(), ids=REFUSED)
def test_an_invalid_policy_is_rejected_with_the_path_of_the_problem(
    text: str, problem: str
) -> None:
    with pytest.raises(BadPolicyError) as error:
        parse_policy(text, "mine.toml")
    assert error.value.detail.startswith("mine.toml: ")
    assert problem in error.value.detail
    assert "\n" not in error.value.detail


def test_an_unknown_policy_name_lists_the_known_ones() -> None:
    with pytest.raises(BadPolicyError, match="did you mean 'lenient'"):
        load_policy("leniant")
    with pytest.raises(BadPolicyError, match="known are exam"):
        shipped_policy("../../etc/passwd")


@pytest.mark.parametrize(
    ("content", "problem"),
    [(b"\xff\xfe", "not UTF-8"), (b"#" * (MAX_POLICY_BYTES + 1), "larger than")],
    ids=["not text", "too large"],
)
def test_a_file_that_is_no_policy_is_rejected(tmp_path: Path, content: bytes, problem: str) -> None:
    file = tmp_path / "bad.toml"
    file.write_bytes(content)
    with pytest.raises(BadPolicyError, match=problem):
        read_policy(file)


def test_a_missing_file_or_a_folder_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(BadPolicyError, match=r"none.toml: No such file"):
        load_policy(tmp_path / "none.toml")
    with pytest.raises(BadPolicyError, match="Is a directory"):
        load_policy(tmp_path)


def test_accommodations_change_a_copy() -> None:
    exam = shipped_policy("exam")
    eased = exam.with_accommodations({"gaze.left": {"persist": 5}, "screen": {"down": 30}})
    assert eased.incidents["gaze.left"].persist == 5
    assert eased.screen.down == 30
    assert eased.screen.left == exam.screen.left
    assert eased.incidents["gaze.right"] == exam.incidents["gaze.right"]
    assert exam == shipped_policy("exam")
    assert exam.with_accommodations({}) == exam


@pytest.mark.parametrize(
    ("accommodations", "problem"),
    [
        ({"gaze.lift": {}}, "accommodations: unknown 'gaze.lift'; did you mean 'gaze.left'"),
        ({"name": {"x": 1}}, "accommodations: unknown 'name'"),
        ({"gaze.left": 5}, "accommodations: gaze.left: expected a table"),
        ({"gaze.left": {"persists": 5}}, "incidents.gaze.left.persists: unknown setting"),
        ({"screen": {"down": -3}}, "accommodations: screen.down: Input should be greater"),
        ({"screen": {3: 4}}, "accommodations: screen.3"),
    ],
)
def test_an_invalid_accommodation_is_rejected(accommodations: dict[str, Any], problem: str) -> None:
    with pytest.raises(BadPolicyError) as error:
        shipped_policy("exam").with_accommodations(accommodations)
    assert problem in error.value.detail


def test_a_policy_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        shipped_policy("exam").screen.left = 90.0


DOCUMENT = Path(__file__).parents[2] / "docs" / "reference" / "policies.md"


def test_the_documentation_lists_every_setting() -> None:
    text = DOCUMENT.read_text()
    for name, field in Policy.model_fields.items():
        section = field.annotation
        if name in ("evidence", "incidents", "name", "description"):
            continue  # a page of its own, a table of its own, plain words
        if not (isinstance(section, type) and issubclass(section, BaseModel)):
            assert f"`{name}`" in text
            continue
        for setting in section.model_fields:
            named = (f"`{name}.{setting}`", f"`.{setting}`", f"`{name}.{setting}.NAME.…`")
            assert any(one in text for one in named), f"{name}.{setting}"


def test_the_documentation_lists_what_accommodations_can_change() -> None:
    told = DOCUMENT.read_text().split("Keys are kinds of incident, ")[1].split(":")[0]
    named = set(re.findall(r"`(\w+)`", told))
    policy = shipped_policy("exam")
    settings = policy.model_dump(mode="json", exclude_none=True)
    taken = set()
    for key in settings:
        try:
            policy.with_accommodations({key: {}})
        except BadPolicyError:
            continue
        taken.add(key)
    assert named == taken


COSTLY = {
    "nested arrays": "a=" + "[" * 20_000,
    "nested tables": "a=" + "{a=" * 10_000,
    "a dotted key": ".".join("a" * 20_000) + "=1",
    "a dotted header": "[" + ".".join("a" * 20_000) + "]",
    "a dotted key in a table": "a={" + ".".join("a" * 20_000) + "=1}",
    "a dotted key behind five quotes": 'a=["""b"""""]\n' + ".".join("a" * 20_000) + "=1",
    "a dotted key behind a literal": "a='''b''''\n" + ".".join("a" * 20_000) + "=1",
    "a long key": "a" * 101 + "=1",
    "a long quoted key": '"' + "a" * 101 + '"=1',
    "many digits": "update_interval=" + "1" * 5000,
    "many keys": "".join(f"k{number}=1\n" for number in range(500)),
    "no end of a string": '\\"""x\n' * 9000,
    "too much": "#" * MAX_POLICY_BYTES,
}


@pytest.mark.parametrize("text", COSTLY.values(), ids=COSTLY)
def test_a_policy_that_would_cost_much_is_refused_before_it_is_parsed(text: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(BadPolicyError) as error:
            parse_policy('name = "a"\n' + text)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 30_000_000
    assert len(error.value.detail) < 1000


@pytest.mark.parametrize("name", shipped_policies())
def test_the_outline_of_a_document_has_every_key_with_its_line(name: str) -> None:
    text = '# a comment = 1\n"é.x" = """\nb = [\n"""\n' + shipped_policy(name).to_toml()
    found = outline(text, "policy")
    lines = text.splitlines()
    for path in _paths(tomllib.loads(text)):
        assert path[-1] in lines[found[path] - 1]


def _paths(table: dict[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from _paths(value, (*above, key))
        else:
            yield (*above, key)


def test_the_outline_follows_inline_tables_and_arrays() -> None:
    text = "a = [{b = 1}, {c = {d = 2}}] # e = 3\n[f.\"g.h\"]\ni.j = [\n1.5,\n]\nk = 'l = m'\n"
    assert outline(text, "policy") == {
        ("a",): 1,
        ("a", "b"): 1,
        ("a", "c"): 1,
        ("a", "c", "d"): 1,
        ("f",): 2,
        ("f", "g.h"): 2,
        ("f", "g.h", "i"): 3,
        ("f", "g.h", "i", "j"): 3,
        ("f", "g.h", "k"): 6,
    }
