"""``policy-settings.md``: every setting of a policy, from the classes that validate it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from proctoring.judgement.policy import Policy
from proctoring.judgement.policy.rule import Rule
from tools.reference_pages.markdown import cell, table
from tools.reference_pages.notice import NOTICE

INTRODUCTION = """\
What each setting of a policy does, with its default under the policy `exam`. How to choose:
[policies](policies.md). `proctoring policy show exam` prints all of them as TOML."""

HEADER = ("setting", "default", "")


def policy_settings_page() -> str:
    """The page as Markdown."""
    lines = ["# Settings of a policy", "", NOTICE, "", INTRODUCTION, ""]
    plain = [
        _row(name, field, missing="required")
        for name, field in Policy.model_fields.items()
        if _section(field) is None and name != "incidents"
    ]
    lines += [table(HEADER, plain), ""]
    for name, field in Policy.model_fields.items():
        section = _section(field)
        if section is not None:
            lines += [
                f"## `[{name}]`",
                "",
                cell(section.__doc__ or ""),
                "",
                table(HEADER, _rows(section)),
                "",
            ]
    lines += ['## `[incidents."KIND"]`', "", cell(Rule.__doc__ or ""), ""]
    lines += ["Defaults per kind: [kinds of incident](incidents.md).", ""]
    lines += [table(HEADER, _rows(Rule)), ""]
    return "\n".join(lines)


def _section(field: FieldInfo) -> type[BaseModel] | None:
    kind = field.annotation
    return kind if isinstance(kind, type) and issubclass(kind, BaseModel) else None


def _rows(section: type[BaseModel]) -> Iterator[tuple[str, str, str]]:
    return (_row(name, field, missing="per kind") for name, field in section.model_fields.items())


def _row(name: str, field: FieldInfo, *, missing: str) -> tuple[str, str, str]:
    """A line of a table; ``missing`` stands where the field has no default."""
    text = (
        (field.description or "").replace("``True``", "``true``").replace("``False``", "``false``")
    )
    return f"`{name}`", _default(field, missing), text


def _default(field: FieldInfo, missing: str) -> str:
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is PydanticUndefined:
        return missing
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, bool):
        return str(value).lower()
    return f"`{value}`" if value not in ("", (), None, {}) else "none"
