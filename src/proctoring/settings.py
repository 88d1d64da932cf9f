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
"""Characters of a secret: HS256 requires as many bytes as its digest has (RFC 7518, 3.2)."""

_MIN_HOOK_SECRET = 24
"""Bytes that Standard Webhooks requires."""

_EVIDENCE_KEY = 32
"""Bytes of a key of AES-256."""

_MAKE_SECRET = "openssl rand -base64 32"  # noqa: S105  (a command)
"""Makes a secret that suits every setting here."""


class WebhookTarget(BaseModel):
    """An endpoint that receives messages about sessions."""

    model_config = ConfigDict(extra="forbid")

    url: str = Field(pattern=r"^https?://[^\s/?#]+\S*$", max_length=2000)
    """``https://exams.example.org/hooks``; ``http`` for receivers in a private network."""
    style: Literal["standard", "livekit"] = "standard"
    """How messages are signed: Standard Webhooks, or like LiveKit's webhooks."""
    secret: SecretStr
    """Standard Webhooks: base64 of 24 bytes or more, with or without the prefix ``whsec_``. LiveKit: its
    API secret."""
    key: str = Field(default="", max_length=200)
    """LiveKit's API key."""

    @model_validator(mode="after")
    def _signs(self) -> Self:
        secret = self.secret.get_secret_value()
        if self.style == "livekit":
            if not self.key or len(secret) < MIN_SECRET:
                raise ValueError(
                    f"livekit needs a key, and a secret of {MIN_SECRET} characters or more: "
                    f"make one with {_MAKE_SECRET}"
                )
            return self
        try:
            raw = base64.b64decode(secret.removeprefix("whsec_") + "==", validate=False)
        except ValueError:
            raw = b""
        if len(raw) < _MIN_HOOK_SECRET:
            raise ValueError(
                f"the secret is not base64 of {_MIN_HOOK_SECRET} bytes or more: "
                f"make one with {_MAKE_SECRET}"
            )
        return self


class Settings(BaseSettings):
    """Settings of the server. Command-line options override the environment."""

    model_config = SettingsConfigDict(
        env_prefix="PROCTORING_",
        env_file=".env",
        extra="ignore",
        populate_by_name=True,
        use_attribute_docstrings=True,
    )

    host: str = "127.0.0.1"
    """Address to bind to. Loopback only unless authorisation is configured."""
    port: int = Field(default=8000, ge=0, le=65535)
    """Port to bind to; 0: any that is free."""
    insecure: bool = False
    """Bind to any address without authorisation: everybody who can reach the server may use it."""
    token_secret: SecretStr | None = None
    """Secret with which tokens are signed (HS256). With it, or a JWKS address, everything but the page
    and the short form of health requires a token."""
    token_jwks_url: str | None = Field(
        default=None, pattern=r"^(https://|http://(127\.0\.0\.1|localhost|\[::1\])[:/])"
    )
    """Address of the issuer's public keys (RS256, ES256, EdDSA); https, or on this machine."""
    token_issuer: str | None = None
    """Required ``iss`` of tokens; must be set with a JWKS address."""
    token_audience: str = Field(default="proctoring", min_length=1)
    """Required ``aud`` of tokens."""
    token_max_minutes: float = Field(default=720.0, gt=0, le=44_640)
    """Longest validity of a token; others are refused."""
    allowed_origins: tuple[str, ...] = ()
    """Origins besides the server's own whose pages may use it from a browser:
    ``["https://exams.example.org", "http://localhost:5173"]``."""

    max_requests_per_second: float = Field(default=200.0, ge=1, le=1_000_000)
    """Mean rate of requests and handshakes per client address; bursts of twice as many."""

    max_connections: int = Field(default=4096, ge=16, le=1_000_000)
    """Connections open at the same time, sockets included; fewer where the system allows the process
    fewer open files. Beyond it the one that has waited longest for a request is cut, otherwise a new one
    refused."""
    request_timeout: float = Field(default=10.0, ge=1, le=3600)
    """Seconds in which the header of a request must arrive."""
    message_timeout: float = Field(default=60.0, ge=1, le=3600)
    """Seconds in which a socket's message or a request's body must arrive, and an answer be read on."""
    message_memory: int = Field(default=256 << 20, ge=1 << 20, le=1 << 40)
    """Bytes of messages that have arrived in part, of all sockets together. Beyond it the connection with
    the largest is cut."""
    sockets_per_session: int = Field(default=16, ge=3, le=10_000)
    """Video, audio and browser sockets open at the same time for one session; more are refused."""
    sockets_per_token: int = Field(default=2000, ge=1, le=1_000_000)
    """Sockets open at the same time with one token; more are refused."""

    models_folder: Path = Field(default_factory=lambda: user_cache_path("proctoring") / "models")
    """Folder of verified weights."""
    models_mirror: Path | None = None
    """A folder tried before every other source of weights."""
    data_folder: Path = Field(default_factory=lambda: user_data_path("proctoring"))
    """Folder of records, evidence and the server's signing key."""
    database: SecretStr | None = None
    """Database of records: ``postgresql+psycopg://user:password@host/name``, or
    ``sqlite:////folder/file``. ``records.sqlite3`` in the data folder otherwise."""
    cluster_address: str | None = Field(
        default=None,
        pattern=r"^https?://[A-Za-z0-9.\-]+(:\d{1,5})?$|^https?://\[[0-9a-fA-F:]+\](:\d{1,5})?$",
        max_length=200,
    )
    """``http://10.0.0.7:8000``: where the other servers of the same database reach this one. Any of them
    then serves any session, and goes on with those of one that dies. Needs PostgreSQL."""
    cluster_secret: SecretStr | None = None
    """Secret with which servers sign what they forward to each other; the same for all."""
    object_model: str = "ssd_mobilenet_v2"
    """Catalogue name of the object detector: the default, ``yolox_nano``, or an imported model;
    ``ssd_mobilenet_v2+picodet_s``: the second confirms what the first detects."""
    workers: int = Field(default_factory=lambda: os.cpu_count() or 1, ge=1, le=256)
    """Analysis threads, so sessions analysed at the same time."""
    every_frame: bool = False
    """Measure faces in every frame, also where the picture of them has not changed. Several times the
    processor time for the same incidents, which this serves to check."""
    policies: Path | None = None
    """Folder of policies of your own (``*.toml``): sessions can be created with them, by name."""
    default_policy: str = "exam"
    """Policy of sessions created by their first socket: the name of one, or a file."""

    deepgram_api_key: SecretStr = Field(default=SecretStr(""), validation_alias="DEEPGRAM_API_KEY")
    """For policies that transcribe with Deepgram."""
    deepgram_url: str | None = Field(default=None, pattern=r"^wss?://[^\s/]+$")
    """Address of a self-hosted Deepgram: ``wss://deepgram.example.org``."""
    hf_token: SecretStr = Field(default=SecretStr(""), validation_alias="HF_TOKEN")
    """To download the original pyannote pipeline."""
    pyannote_folder: Path | None = None
    """A local copy of the original pyannote pipeline, which needs no token."""

    evidence_folder: Path | None = None
    """Folder of stills and clips, if policies request any; ``evidence`` in the data folder otherwise."""
    evidence_store: str = ""
    """``s3://bucket/prefix``: store them there instead. Credentials as for every AWS client."""
    evidence_s3_endpoint: str = ""
    """Address of an S3-compatible server; empty: AWS."""
    evidence_s3_region: str = ""
    """Region of the S3 bucket, where the server needs one."""
    evidence_key: SecretStr = SecretStr("")
    """Encrypts evidence at rest: base64 of 32 random bytes (``openssl rand -base64 32``)."""
    evidence_key_file: Path | None = None
    """The same from a file, one key a line: the first encrypts, all decrypt."""
    evidence_ring_bytes: int = Field(default=16 << 20, ge=1 << 20, le=1 << 30)
    """Media buffered in memory per session whose policy requests clips."""

    webhooks: tuple[WebhookTarget, ...] = Field(default=(), max_length=16)
    """Endpoints that receive incidents, and starts and ends of sessions, as JSON:
    ``[{"url": "https://exams.example.org/hooks", "secret": "whsec_..."}]``."""

    max_sessions: int = Field(default=500, ge=1, le=100_000)
    """Sessions open at the same time; more are refused."""
    admission: Literal["load", "count"] = "load"
    """``load``: a new session is also refused while the machine has no computing time for one more;
    ``count``: only beyond the greatest number."""
    session_grace: float = Field(default=120.0, ge=1, le=86_400)
    """Seconds without media and media sockets after which a session ends."""
    session_idle_timeout: float = Field(default=3600.0, ge=1, le=604_800)
    """Seconds without media after which a session ends that listeners or sockets keep open."""
    drain_rate: float = Field(default=20.0, ge=0.1, le=10_000)
    """Sessions a second that a server hands to others of its cluster when it is stopped."""
    drain_timeout: float = Field(default=20.0, ge=0, le=86_400)
    """Seconds after which a server that is stopped hands over all that is left at once."""
    keep_events: float = Field(default=900.0, ge=0, le=86_400)
    """Seconds for which an ended session's events remain readable on the events socket."""
    events_per_session: int = Field(default=10_000, ge=1, le=1_000_000)
    """Newest events that are replayed to a listener."""
    listeners_per_session: int = Field(default=32, ge=1, le=10_000)
    """Events sockets open at the same time for one session; more are refused."""
    listener_queue: int = Field(default=256, ge=1, le=100_000)
    """Events buffered per listener; a slower one is disconnected and may reconnect."""

    max_frame_bytes: int = Field(default=6 << 20, ge=1 << 10, le=1 << 30)
    """Largest frame analysed. A message of more than twice this closes its socket."""
    max_frame_pixels: int = Field(default=3840 * 2160, ge=1 << 10, le=1 << 30)
    """Largest frame decoded."""
    max_frames_per_second: float = Field(default=60.0, ge=1, le=10_000)
    """Frames accepted per socket; more are dropped, and reading is limited to four times this."""
    max_bytes_per_second: float = Field(default=20e6, ge=1e4)
    """Mean rate of bytes read per socket, over some seconds."""
    frame_width: int = Field(default=640, ge=64, le=7680)
    """Width of frames requested of clients, in pixels."""
    frame_height: int = Field(default=480, ge=64, le=4320)
    """Height of frames requested of clients, in pixels."""

    @property
    def requires_tokens(self) -> bool:
        """Whether requests need a token."""
        return self.token_secret is not None or self.token_jwks_url is not None

    @model_validator(mode="after")
    def _issuer_of_keys(self) -> Self:
        # The keys of an address may sign for other services too: the issuer tells ours apart.
        if self.token_jwks_url is not None and not self.token_issuer:
            raise ValueError("PROCTORING_TOKEN_JWKS_URL needs PROCTORING_TOKEN_ISSUER")
        return self

    @model_validator(mode="after")
    def _cluster(self) -> Self:
        if self.cluster_address is None:
            return self
        database = "" if self.database is None else self.database.get_secret_value()
        if not database.startswith("postgresql"):
            raise ValueError("PROCTORING_CLUSTER_ADDRESS needs PROCTORING_DATABASE: PostgreSQL")
        if self.cluster_secret is None:
            raise ValueError(
                f"PROCTORING_CLUSTER_ADDRESS needs PROCTORING_CLUSTER_SECRET: {_MAKE_SECRET}"
            )
        return self

    @field_validator("token_secret", "cluster_secret")
    @classmethod
    def _is_long(cls, secret: SecretStr | None) -> SecretStr | None:
        if secret is not None and len(secret.get_secret_value()) < MIN_SECRET:
            raise ValueError(
                f"has fewer than {MIN_SECRET} characters: make one with {_MAKE_SECRET}"
            )
        return secret

    @field_validator("evidence_key")
    @classmethod
    def _is_evidence_key(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value().strip()
        try:
            size = len(base64.b64decode(text, validate=True))
        except ValueError:
            size = 0
        if text and size != _EVIDENCE_KEY:
            raise ValueError(
                f"is not base64 of {_EVIDENCE_KEY} bytes: make one with {_MAKE_SECRET}"
            )
        return key

    @field_validator("deepgram_api_key", "hf_token")
    @classmethod
    def _is_a_key(cls, key: SecretStr) -> SecretStr:
        text = key.get_secret_value().strip()
        if not all("!" <= letter <= "~" for letter in text):
            raise ValueError("holds characters that no key has")
        return SecretStr(text)

    @property
    def deepgram_key(self) -> str:
        """Deepgram's key; empty: none is set."""
        return self.deepgram_api_key.get_secret_value()


def _secret_names() -> Iterator[tuple[str, str]]:
    """(name in pydantic's errors, name in the environment) of settings with secrets."""
    for name, field in Settings.model_fields.items():
        if SecretStr in (field.annotation, *get_args(field.annotation)):
            alias = field.validation_alias
            shown = alias if isinstance(alias, str) else f"PROCTORING_{name.upper()}"
            yield name, shown
            yield shown, shown


_SECRET = dict(_secret_names())


def read_settings(**chosen: Any) -> Settings:
    """The settings from the environment, overridden by ``chosen`` ones that are not ``None``.

    Raises:
        SettingsError: names every invalid setting.
    """
    given = {name: value for name, value in chosen.items() if value is not None}
    try:
        return Settings(**given)
    except ValidationError as error:
        problems = []
        for found in error.errors():
            name = ".".join(str(part) for part in found["loc"])
            found["msg"] = found["msg"].removeprefix("Value error, ")
            if not name:
                problems.append(found["msg"])
                continue
            if name in _SECRET:
                problems.append(f"{_SECRET[name]}: {found['msg']}")  # without the value
                continue
            if name.split(".")[0] in ("webhooks", "PROCTORING_WEBHOOKS"):
                where = ".".join(name.split(".")[1:])
                problems.append(
                    f"PROCTORING_WEBHOOKS: {where}: {found['msg']}"
                )  # without the value
                continue
            shown = name if name.split(".")[0] in given else f"PROCTORING_{name.upper()}"
            problems.append(f"{shown} is {found['input']!r}: {found['msg']}")
        raise SettingsError("; ".join(problems)) from error
    except _Unreadable as error:
        raise SettingsError(str(error)) from error
