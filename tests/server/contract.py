"""Messages of the sockets against ``docs/reference/asyncapi.yaml``."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

FILE = Path(__file__).parents[2] / "docs" / "reference" / "asyncapi.yaml"
DOCUMENT: dict[str, Any] = yaml.safe_load(FILE.read_text())
SCHEMAS: dict[str, Any] = DOCUMENT["components"]["schemas"]

_WRAPPED = {"flow": "Flow", "error": "Error", "observation": "Observation", "audio": "Heard"}
"""The one key of a message -> what the document calls it. Events have many keys."""


def check(schema: str, message: Any) -> None:
    """Raises when a message is not what the document says."""
    _validator(schema).validate(message)


def check_sent(message: Any) -> None:
    """The same for any message that a server sends."""
    key = next(iter(message)) if len(message) == 1 else ""
    check(_WRAPPED.get(key, "Event"), message)


@cache
def _validator(schema: str) -> jsonschema_rs.Validator:
    whole = {"$ref": f"#/components/schemas/{schema}", "components": DOCUMENT["components"]}
    return jsonschema_rs.validator_for(whole, validate_formats=True)
