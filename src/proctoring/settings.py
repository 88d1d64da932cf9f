"""Settings from the environment (``PROCTORING_*``) or a ``.env`` file, validated once at start."""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self, get_args

from platformdirs import user_cache_path, user_data_path
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, SettingsConfigDict
from pydantic_settings import SettingsError as _Unreadable

from proctoring.errors import SettingsError

MIN_SECRET = 32
"""Characters of a secret: HS256 asks for as many bytes as its digest has (RFC 7518, 3.2)."""

_MIN_HOOK_SECRET = 24
"""Bytes that Standard Webhooks asks for."""


class WebhookTarget(BaseModel):
    """Where messages about sessions are delivered to."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(pattern=r"^https?://[^\s/?#]+\S*$", max_length=2000)
    """``https://exams.example.org/hooks``; ``http`` for receivers in one's own network."""
    style: Literal["standard", "livekit"] = "standard"
    """How it is signed: Standard Webhooks, or as LiveKit signs its own."""
    secret: SecretStr
    """Standard Webhooks: base64 of 24 bytes or more, ``whsec_`` before it or not. LiveKit: its API
    secret."""
    key: str = Field(default="", max_length=200)
    """LiveKit's API key."""

    @model_validator(mode="after")
    def _signs(self) -> Self:
        secret = self.secret.get_secret_value()
        if self.style == "livekit":
            if not self.key or len(secret) < MIN_SECRET:
                raise ValueError(f"livekit needs a key, and a secret of {MIN_SECRET} characters")
            return self
        try:
            raw = base64.b64decode(secret.removeprefix("whsec_") + "==", validate=False)
        except ValueError:
            raw = b""
        if len(raw) < _MIN_HOOK_SECRET:
            raise ValueError(f"the secret is not base64 of {_MIN_HOOK_SECRET} bytes or more")
        return self


class Settings(BaseSettings):
    """What an operator may choose. Command-line options override the environment."""

    model_config = SettingsConfigDict(
        env_prefix="PROCTORING_",
        env_file=".env",
        extra="ignore",
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    host: str = "127.0.0.1"
    """Address to bind to. Without authorisation configured, loopback only."""
    port: int = Field(default=8000, ge=0, le=65535)
    insecure: bool = False
    """``True``: bind to any address without authorisation; everybody who reaches it may use it."""
    token_secret: SecretStr | None = Field(default=None, min_length=MIN_SECRET)
    """Secret that tokens are signed with (HS256). With it, or a JWKS address, everything but the
    page and the shortest form of health asks for a token."""
    token_jwks_url: str | None = Field(
        default=None, pattern=r"^(https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/])"
    )
    """Address of the issuer's public keys (RS256, ES256, EdDSA); https, or on this machine."""
    token_issuer: str | None = None
    """``iss`` that tokens must have; needed with a JWKS address."""
    token_audience: str = Field(default="proctoring", min_length=1)
    """``aud`` that tokens must have."""
    token_max_minutes: float = Field(default=720.0, gt=0, le=44_640)
    """Longest life of a token; longer ones are refused."""
    allowed_origins: tuple[str, ...] = ()
    """Web pages besides the server's own and those on this machine that may use it from a browser:
    ``["https://exams.example.org"]``."""

    max_requests_per_second: float = Field(default=200.0, ge=1, le=1_000_000)
    """Requests and handshakes of one client's address, in the mean; twice as many at once."""

    models_folder: Path = Field(default_factory=lambda: user_cache_path("proctoring") / "models")
    """Where verified weights are kept."""
    models_mirror: Path | None = None
    """A folder tried before every other source of weights."""
    data_folder: Path = Field(default_factory=lambda: user_data_path("proctoring"))
    """Where records, evidence and the server's signing key are kept."""
    database: SecretStr | None = None
    """Where records are kept: ``postgresql+psycopg://user:password@host/name``, or
    ``sqlite:////folder/file``. ``records.sqlite3`` in the data folder otherwise."""
    object_model: str = "ssd_mobilenet_v2"
    """Catalogue name of the object detector: the default, ``yolox_nano``, or an imported model;
    ``ssd_mobilenet_v2+picodet_s``: what the one suspects the other looks at closer, both must agree."""
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    """Threads that analyse: sessions analysed at the same moment."""
    default_policy: str = "exam"
    """Policy of sessions that begin with their first socket: a shipped one's name, or a file."""

    deepgram_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="DEEPGRAM_API_KEY")
    """For policies that transcribe with Deepgram."""
    deepgram_url: str | None = Field(default=None, pattern=r"^wss?://[^\s/]+$")
    """Deepgram on one's own machines: ``wss://deepgram.example.org``."""
    hf_token: SecretStr = Field(default=SecretStr(""), validation_alias="HF_TOKEN")
    """For the original pyannote pipeline, where there is no copy of it."""
    pyannote_folder: Path | None = None
    """A local copy of the original pyannote pipeline."""

    evidence_folder: Path | None = None
    """Where stills and clips are kept, as far as policies ask for any; ``evidence`` in the data
    folder otherwise."""
    evidence_store: str = ""
    """``s3://bucket/prefix``: keep them there instead. Credentials come as for every AWS client."""
    evidence_s3_endpoint: str = ""
    """Address of an S3-compatible server; AWS's own if empty."""
    evidence_s3_region: str = ""
    evidence_key: SecretStr = SecretStr("")
    """Encrypts evidence at rest: base64 of 32 random bytes (``openssl rand -base64 32``)."""
    evidence_key_file: Path | None = None
    """The same from a file, one key a line: the first encrypts, all decrypt."""
    evidence_ring_bytes: int = Field(default=16 << 20, ge=1 << 20, le=1 << 30)
    """Media held in memory for each session whose policy wants clips."""

    webhooks: tuple[WebhookTarget, ...] = Field(default=(), max_length=16)
    """Addresses that hear of incidents, and of sessions that begin and end, as JSON:
    ``[{"url": "https://exams.example.org/hooks", "secret": "whsec_..."}]``."""

    max_sessions: int = Field(default=500, ge=1, le=100_000)
    """Sessions open at once; more are refused."""
    session_grace: float = Field(default=120.0, ge=1, le=86_400)
    """Seconds after the last media, all media sockets closed, after which a session ends."""
    session_patience: float = Field(default=3600.0, ge=1, le=604_800)
    """Seconds that a session may stand open without media, while somebody waits for it."""
    keep_events: float = Field(default=900.0, ge=0, le=86_400)
    """Seconds for which an ended session's events can still be read."""
    events_per_session: int = Field(default=10_000, ge=1, le=1_000_000)
    """Events replayed to one listener at most, the newest."""
    listeners_per_session: int = Field(default=32, ge=1, le=10_000)
    listener_queue: int = Field(default=256, ge=1, le=100_000)
    """Events that may wait for one listener; beyond, it is dropped and may come back."""

    max_frame_bytes: int = Field(default=6 << 20, ge=1 << 10, le=1 << 30)
    """Largest frame looked at. A message of more than twice this closes its socket."""
    max_frame_pixels: int = Field(default=3840 * 2160, ge=1 << 10, le=1 << 30)
    """Largest picture decoded."""
    max_frames_per_second: float = Field(default=60.0, ge=1, le=10_000)
    """Frames taken from one socket; more are dropped, and beyond four times this, read no faster."""
    max_bytes_per_second: float = Field(default=20e6, ge=1e4)
    """Bytes read from one socket, in the mean over some seconds."""
    frame_width: int = Field(default=640, ge=64, le=7680)
    frame_height: int = Field(default=480, ge=64, le=4320)
    """Size of pictures that clients are asked to send."""

    @property
    def asks_for_tokens(self) -> bool:
        """Whether somebody has to say who he is."""
        return self.token_secret is not None or self.token_jwks_url is not None

    @model_validator(mode="after")
    def _issuer_of_keys(self) -> Self:
        # Keys of an address sign for many services and customers; a token of ours must say so.
        if self.token_jwks_url is not None and not self.token_issuer:
            raise ValueError("PROCTORING_TOKEN_JWKS_URL needs PROCTORING_TOKEN_ISSUER")
        return self

    @field_validator("deepgram_api_key", "hf_token")
    @classmethod
    def _is_a_key(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value().strip()
        if not all("!" <= letter <= "~" for letter in text):
            raise ValueError("holds characters that no key has")
        return SecretStr(text)

    @property
    def deepgram_key(self) -> str:
        """The key itself; empty: none was given."""
        return self.deepgram_api_key.get_secret_value()


def _secret_names() -> Iterator[tuple[str, str]]:
    """What errors call settings with secrets -> what operators call them."""
    for name, field in Settings.model_fields.items():
        if SecretStr in (field.annotation, *get_args(field.annotation)):
            alias = field.validation_alias
            shown = alias if isinstance(alias, str) else f"PROCTORING_{name.upper()}"
            yield name, shown
            yield shown, shown


_SECRET = dict(_secret_names())


def read_settings(**chosen: Any) -> Settings:
    """The settings from the environment, and ``chosen`` ones (those not ``None``) above them.

    Raises:
        SettingsError: naming every setting that cannot be.
    """
    given = {name: value for name, value in chosen.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = []
        for found in error.errors():
            name = ".".join(str(part) for part in found["loc"])
            if not name:
                problems.append(found["msg"])
                continue
            if name in _SECRET:
                problems.append(f"{_SECRET[name]}: {found['msg']}")  # never what it is
                continue
            if name.split(".")[0] in ("webhooks", "PROCTORING_WEBHOOKS"):
                where = ".".join(name.split(".")[1:])
                problems.append(f"PROCTORING_WEBHOOKS: {where}: {found['msg']}")  # never a secret
                continue
            shown = name if name.split(".")[0] in given else f"PROCTORING_{name.upper()}"
            problems.append(f"{shown} is {found['input']!r}: {found['msg']}")
        raise SettingsError("; ".join(problems)) from error
    except _Unreadable as error:
        raise SettingsError(str(error)) from error
