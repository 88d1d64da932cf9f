"""``asyncapi.md``: channels, messages and fields of the sockets, from ``asyncapi.yaml``."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from tools.reference_pages.markdown import table
from tools.reference_pages.notice import NOTICE

SOURCE = Path(__file__).parents[2] / "docs" / "reference" / "asyncapi.yaml"

INTRODUCTION = """\
The messages of the sockets with every field, from the AsyncAPI document
[asyncapi.yaml](asyncapi.yaml); tests compare that document with what the server sends. What the
messages mean: [sockets](../integrate/sockets.md). A field that may be left out is marked *optional*."""


def asyncapi_page() -> str:
    """The page as Markdown."""
    document = yaml.safe_load(SOURCE.read_text(encoding="utf-8"))
    messages = document["components"]["messages"]
    lines = ["# Messages of the sockets", "", NOTICE, "", INTRODUCTION, ""]
    for channel in document["channels"].values():
        lines += [f"## `{channel['address']}`", "", f"{channel['title']}.", ""]
        query = channel.get("bindings", {}).get("ws", {}).get("query", {}).get("properties", {})
        if query:
            rows = [(f"`{name}`", _type(found), _text(found)) for name, found in query.items()]
            lines += [table(("query", "value", ""), rows), ""]
        rows = [
            (name, messages[name].get("summary", ""), _schema_link(messages[name]))
            for name in channel["messages"]
        ]
        lines += [table(("message", "", "fields"), rows), ""]
    for name, schema in document["components"]["schemas"].items():
        lines += [f"## {name}", ""]
        if schema.get("description"):
            lines += [schema["description"], ""]
        rows = list(_rows(schema))
        if rows:
            lines += [table(("field", "type", ""), rows), ""]
    return "\n".join(lines)


def _schema_link(message: dict[str, Any]) -> str:
    reference = message.get("payload", {}).get("$ref", "")
    return _link(reference) if reference else str(message.get("contentType", ""))


def _link(reference: str) -> str:
    name = reference.rsplit("/", 1)[-1]
    return f"[{name}](#{name.lower()})"


def _rows(schema: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, str, str]]:
    """One row per field; fields of objects within it are listed as ``outer.inner``."""
    required = set(schema.get("required", ()))
    for name, found in schema.get("properties", {}).items():
        optional = "" if name in required else "*optional* "
        yield f"`{prefix}{name}`", optional + _type(found), _text(found)
        inner, mark = found, "."
        if "items" in found:
            inner, mark = found["items"], "[]."
        yield from _rows(inner, f"{prefix}{name}{mark}")


def _type(found: dict[str, Any]) -> str:
    if "$ref" in found:
        return _link(found["$ref"])
    if "oneOf" in found:
        return " or ".join(_type(one) for one in found["oneOf"])
    if "enum" in found:
        return ", ".join(_value(value) for value in found["enum"])
    if "const" in found:
        return _value(found["const"])
    kinds = found.get("type", "object")
    text = " or ".join([kinds] if isinstance(kinds, str) else kinds)
    if "$ref" in found.get("items", {}):
        text += f" of {_link(found['items']['$ref'])}"
    if "minimum" in found and "maximum" in found:
        text += f", {found['minimum']} to {found['maximum']}"
    return text


def _value(value: Any) -> str:
    """A value as JSON; a text without its quotes, unless it is empty."""
    return f"`{value if isinstance(value, str) and value else json.dumps(value)}`"


def _text(found: dict[str, Any]) -> str:
    return str(found.get("description", ""))
