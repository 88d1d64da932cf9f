"""What a dispatch's metadata says: policy, session ids, accommodations."""

from __future__ import annotations

import json
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from proctoring.errors import SettingsError


class Dispatch(BaseModel):
    """A dispatch's metadata, as JSON. Only holders of the API key can set it."""

    model_config = ConfigDict(extra="forbid")

    policy: str | None = None
    sessions: dict[str, str] = {}
    """Identity to session id at the server."""
    accommodations: dict[str, dict[str, Any]] = {}
    """Identity to changes of the policy."""
    mirrored: bool = False


def parse_dispatch(metadata: str) -> Dispatch:
    """Parse a dispatch's metadata. Raises ``SettingsError`` when it does not validate."""
    if not metadata:
        return Dispatch()
    try:
        return Dispatch.model_validate(json.loads(metadata))
    except (ValueError, ValidationError) as error:
        raise SettingsError(f"cannot read the dispatch's metadata: {error}") from error
