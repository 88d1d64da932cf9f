"""``settings.md``: every environment variable of the server, from ``proctoring.settings``."""

from __future__ import annotations

from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo

from proctoring.settings import Settings
from tools.reference_pages.markdown import cell
from tools.reference_pages.notice import NOTICE

INTRODUCTION = """\
Settings come from the environment or from a file `.env` beside the command. The environment takes
precedence over the file, options of `proctoring serve` over both. All are optional, read once at
start and validated; an invalid one is named and the server does not start. Lists are JSON. What
counts as suspicious is not a setting of the server but a [policy](policies.md). Settings of the
LiveKit client are in [LiveKit](../integrate/livekit.md)."""

GROUPS: dict[str, tuple[str, ...]] = {
    "Access ([security](../operate/security.md))": (
        "host",
        "port",
        "insecure",
        "token_secret",
        "token_jwks_url",
        "token_issuer",
        "token_audience",
        "token_max_minutes",
        "allowed_origins",
        "max_requests_per_second",
    ),
    "Analysis": (
        "models_folder",
        "models_mirror",
        "object_model",
        "every_frame",
        "workers",
        "policies",
        "default_policy",
        "frame_width",
        "frame_height",
    ),
    "Keys of optional services": (
        "deepgram_api_key",
        "deepgram_url",
        "hf_token",
        "pyannote_folder",
    ),
    "Several servers": ("cluster_address", "cluster_secret"),
    "Records and evidence ([privacy](../operate/privacy.md))": (
        "data_folder",
        "database",
        "evidence_folder",
        "evidence_store",
        "evidence_s3_endpoint",
        "evidence_s3_region",
        "evidence_key",
        "evidence_key_file",
        "evidence_ring_bytes",
        "webhooks",
    ),
    "Session lifetime": (
        "session_grace",
        "session_idle_timeout",
        "keep_events",
        "drain_rate",
        "drain_timeout",
    ),
    "Limits": (
        "max_sessions",
        "admission",
        "events_per_session",
        "listeners_per_session",
        "listener_queue",
        "max_frame_bytes",
        "max_frame_pixels",
        "max_frames_per_second",
        "max_bytes_per_second",
        "max_connections",
        "request_timeout",
        "message_timeout",
        "message_memory",
        "sockets_per_session",
        "sockets_per_token",
    ),
}
"""Heading to the settings below it, in the order of the page."""

MACHINE_DEFAULTS = {
    "models_folder": "the user's cache folder",
    "data_folder": "the user's data folder",
    "workers": "one per core",
}
"""Defaults that depend on the machine."""


def settings_page() -> str:
    """The page as Markdown.

    Raises:
        ValueError: a setting is in no group, or a group names one that does not exist.
    """
    grouped = [name for names in GROUPS.values() for name in names]
    if sorted(grouped) != sorted(Settings.model_fields):
        raise ValueError(f"not grouped once: {set(grouped) ^ set(Settings.model_fields)}")
    lines = ["# Settings", "", NOTICE, "", INTRODUCTION, ""]
    for heading, names in GROUPS.items():
        lines += [f"## {heading}", "", "| setting | default | |", "| --- | --- | --- |"]
        lines += [_row(name, Settings.model_fields[name]) for name in names]
        lines.append("")
    return "\n".join(lines)


def _row(name: str, field: FieldInfo) -> str:
    variable = str(field.validation_alias or f"PROCTORING_{name.upper()}")
    default = MACHINE_DEFAULTS[name] if field.default_factory else shown(field.default)
    return f"| `{variable}` | {default} | {cell(field.description or '')} |"


def shown(default: Any) -> str:
    """A default as the table shows it."""
    if isinstance(default, SecretStr):
        default = default.get_secret_value()
    if default is None or default in ("", ()):
        return "none"
    return f"{default:.10g}" if isinstance(default, float) else str(default).lower()
