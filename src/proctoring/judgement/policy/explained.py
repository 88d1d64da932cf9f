"""A policy as TOML with every setting explained: what it does, in which unit, and its limits."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import tomli_w
from annotated_types import Ge, Gt, Le, Lt
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from proctoring.judgement.policy.model import Policy
from proctoring.judgement.policy.rule import Rule
from proctoring.judgement.policy.section import Degrees, Seconds

WIDTH = 100

_UNITS = {Degrees: "degrees", Seconds: "seconds"}

_INTRODUCTION = """\
Above each setting: what it does, and in brackets its unit and limits. A file of your own needs a name and
what differs from the defaults."""

_RULES = """\
The rules: when incidents of each kind start, end and alert. Times are seconds of media time. persist and
closes_after are both seconds, or both counts of detections: persist = { hits = 2, of = 3 },
closes_after = { misses = 3 }. What a file leaves out is as shown here."""


def explained_toml(policy: Policy) -> str:
    """The policy, defaults included, as TOML that ``parse_policy`` reads as the same policy."""
    given = policy.model_dump(mode="json", exclude_none=True)
    return "\n".join(_lines(given)).strip() + "\n"


def _lines(given: dict[str, Any]) -> Iterator[str]:
    yield from _comment(_INTRODUCTION)
    yield ""
    for name, field in Policy.model_fields.items():
        if name in given and not isinstance(given[name], dict):
            yield from _setting(name, field, given[name])
    for name, field in Policy.model_fields.items():
        section = field.annotation
        if isinstance(section, type) and issubclass(section, BaseModel) and name in given:
            yield from _table(name, section, given[name])
    yield ""
    yield from _comment(_RULES)
    for name, field in Rule.model_fields.items():
        yield from _comment(f"{name}: {_explanation(field)}")
    yield ""
    yield tomli_w.dumps({"incidents": given["incidents"]})


def _table(name: str, section: type[BaseModel], given: dict[str, Any]) -> Iterator[str]:
    yield ""
    yield from _comment(section.__doc__ or "")
    yield f"[{name}]"
    inner: list[tuple[str, type[BaseModel], dict[str, Any]]] = []
    by_name: list[str] = []
    for key, field in section.model_fields.items():
        kind = field.annotation
        if key not in given:
            continue
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            inner.append((f"{name}.{key}", kind, given[key]))
        elif isinstance(given[key], dict):
            by_name += ["", *_comment(_explanation(field))]
            by_name += tomli_w.dumps({name: {key: given[key]}}).splitlines()
        else:
            yield from _setting(key, field, given[key])
    for path, kind, values in inner:
        yield from _table(path, kind, values)
    yield from by_name


def _setting(name: str, field: FieldInfo, value: Any) -> Iterator[str]:
    yield from _comment(_explanation(field))
    yield tomli_w.dumps({name: value}).rstrip("\n")


def _explanation(field: FieldInfo) -> str:
    """What the setting does, and its unit and limits in brackets."""
    text = (
        (field.description or "").replace("``True``", "``true``").replace("``False``", "``false``")
    )
    unit = next(
        (
            unit
            for kind, unit in _UNITS.items()
            if _metadata(kind) == field.metadata and field.metadata
        ),
        "",
    )
    limits = ", ".join(
        f"{words} {limit:g}"
        for one in field.metadata
        for words, limit in _limits(one)
        if isinstance(limit, int | float)
    )
    bounds = ", ".join(filter(None, (unit, limits)))
    return f"{text} [{bounds}]" if bounds else text


def _metadata(kind: Any) -> list[Any]:
    return list(FieldInfo.from_annotation(kind).metadata)


def _limits(one: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(one, Ge):
        yield "at least", one.ge
    elif isinstance(one, Gt):
        yield "above", one.gt
    elif isinstance(one, Le):
        yield "at most", one.le
    elif isinstance(one, Lt):
        yield "below", one.lt


def _comment(text: str) -> Iterator[str]:
    plain = " ".join(text.replace("``", "").split())
    return (f"# {line}" for line in textwrap.wrap(plain, WIDTH - 2, break_on_hyphens=False))
