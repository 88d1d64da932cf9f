"""Settings from the environment (``PROCTORING_*``) or a ``.env`` file, validated once at start."""

from __future__ import annotations

import os
from pathlib import Path

from platformdirs import user_cache_path
from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """What an operator may choose. Command-line options override the environment."""

    model_config = SettingsConfigDict(env_prefix="PROCTORING_", env_file=".env", extra="ignore")

    host: str = "127.0.0.1"
    """Address to bind to. Without authorisation configured, loopback only."""
    port: int = Field(default=8000, ge=0, le=65535)
    models_folder: Path = Field(default_factory=lambda: user_cache_path("proctoring") / "models")
    """Where verified weights are kept."""
    models_mirror: Path | None = None
    """A folder tried before every other source of weights."""
    object_model: str = "ssd_mobilenet_v2"
    """Catalogue name of the object detector: the default, ``yolox_nano``, or an imported model."""
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    """Threads that analyse: sessions analysed at the same moment."""
    default_policy: str = "exam"
    """Policy of sessions that begin with their first socket."""
