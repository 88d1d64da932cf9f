"""Describes a media socket that takes the place of an open one. Addresses themselves are not kept."""

from __future__ import annotations

import ipaddress


def address_class(host: str) -> str:
    """``loopback``, ``private``, ``public`` or ``unknown``, of an IP address."""
    try:
        address = ipaddress.ip_address(host.split("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if address.is_loopback:
        return "loopback"
    return "private" if address.is_private else "public"


def describe_takeover(before: str, now: str) -> str:
    """From which kind of address the newer socket comes, for reviewers.

    Args:
        before: the older socket's address; empty if it is not known.
        now: the newer socket's address.
    """
    if before and before == now:
        return f"the same {address_class(now)} address"
    return f"another address ({address_class(now)}, before: {address_class(before)})"
