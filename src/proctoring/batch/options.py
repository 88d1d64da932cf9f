"""How the recordings of a batch are analysed: the same for all of them."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from proctoring import __version__
from proctoring.judgement.policy import Policy

_HOW_DIGITS = 16
"""Hexadecimal digits that tell ways of analysing apart: 64 bits."""


@dataclass(frozen=True, slots=True)
class Options:
    """Everything but the content that a result depends on."""

    policy: Policy
    mirrored: bool = False
    every_frame: bool = False
    object_model: str = "ssd_mobilenet_v2"
    version: str = __version__
    """Of this package. Workers of another one are refused."""

    def to_json(self) -> dict[str, Any]:
        """As written beside the results."""
        return {
            "version": self.version,
            "policy": self.policy.name,
            "policy_sha256": hashlib.sha256(self.policy.to_toml().encode()).hexdigest(),
            "mirrored": self.mirrored,
            "every_frame": self.every_frame,
            "object_model": self.object_model,
        }

    @property
    def how(self) -> str:
        """Names the folder of results: equal options, equal name."""
        text = json.dumps(self.to_json(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:_HOW_DIGITS]
