"""Who may reach the server, and from which page of a browser.

Without authorisation the server is for this machine alone. Any page of the web can make a browser
open a socket to this machine, or resolve its own name to it; so pages must come from this machine,
and requests must name it.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from enum import StrEnum
from urllib.parse import urlsplit

from proctoring.settings import Settings


class AccessMode(StrEnum):
    """Whom the server lets in; health and the log say it."""

    TOKENS = "tokens"
    """Bearers of a token."""
    LOCAL = "local"
    """Everybody on this machine: nobody has to say who he is, and no other machine gets here."""
    INSECURE = "insecure"
    """Everybody who reaches it."""


def access_mode(settings: Settings) -> AccessMode:
    """Whom a server with these settings lets in."""
    if settings.requires_tokens:
        return AccessMode.TOKENS
    return AccessMode.INSECURE if settings.insecure else AccessMode.LOCAL


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine alone."""
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
        headers: the request's, names in lower case.
        local_only: the server is bound to this machine alone, so it is asked for by such a name.
        allowed_origins: pages that are welcome besides the server's own and this machine's.
    """
    host = headers.get("host", "")
    if local_only and not is_loopback(_host_name(host)):
        return f"this server is for its own machine alone, not for the name {host[:100]!r}"
    origin = headers.get("origin")
    if origin is None:  # no browser, or a plain navigation
        return None
    try:
        parts = urlsplit(origin)
    except ValueError:
        return f"{origin[:100]!r} is no origin"
    if parts.netloc.lower() == host.lower() and parts.netloc:
        return None
    if parts.hostname is not None and is_loopback(parts.hostname):
        return None
    if origin.rstrip("/") in {allowed.rstrip("/") for allowed in allowed_origins}:
        return None
    return f"pages of {origin[:100]!r} may not use this server"


def _host_name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
