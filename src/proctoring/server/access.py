"""Which requests the server accepts by host name and origin.

Without tokens the server is for this machine only. Any web page can make a browser open a socket to
this machine, or let its own host name resolve to it (DNS rebinding); therefore the request's host must be
a name of it. In every mode pages must be the server's own or named by the operator: other programs on this
machine serve pages, too.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from enum import StrEnum
from urllib.parse import urlsplit

from proctoring.settings import Settings


class AccessMode(StrEnum):
    """Who may use the server. Reported by ``/api/health`` and in the log."""

    TOKENS = "tokens"
    """Clients with a token."""
    LOCAL = "local"
    """Every program on this machine, without a token; other machines cannot connect."""
    INSECURE = "insecure"
    """Everybody who can connect, without a token."""


def access_mode(settings: Settings) -> AccessMode:
    """The access mode that these settings mean."""
    if settings.requires_tokens:
        return AccessMode.TOKENS
    return AccessMode.INSECURE if settings.insecure else AccessMode.LOCAL


def is_loopback(host: str) -> bool:
    """Whether a host name or address refers to this machine only."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def refusal(
    headers: Mapping[str, str], *, local_only: bool, allowed_origins: Iterable[str] = ()
) -> str | None:
    """Why a request is refused; ``None`` if it is not.

    Args:
        headers: of the request, names in lower case.
        local_only: the server is bound to this machine, so the host must be a name of it.
        allowed_origins: permitted origins besides the server's own.
    """
    host = headers.get("host", "")
    if local_only and not is_loopback(_host_name(host)):
        return f"this server is for its own machine alone, not for the name {host[:100]!r}"
    origin = headers.get("origin")
    if origin is None:  # not from a browser, or a plain navigation
        return None
    try:
        parts = urlsplit(origin)
    except ValueError:
        return f"{origin[:100]!r} is no origin"
    if parts.netloc and _is_same_server(parts.netloc.lower(), host.lower()):
        return None
    if origin.rstrip("/") in {allowed.rstrip("/") for allowed in allowed_origins}:
        return None
    return f"pages of {origin[:100]!r} may not use this server"


def _is_same_server(origin: str, host: str) -> bool:
    """Whether both are equal, or names of this machine with the same port."""
    if origin == host:
        return True
    names = _host_name(origin), _host_name(host)
    return all(map(is_loopback, names)) and _port(origin) == _port(host)


def _port(host: str) -> int | None:
    try:
        return urlsplit(f"//{host}").port
    except ValueError:
        return -1


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
