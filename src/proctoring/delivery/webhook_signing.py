"""Signs webhook messages, so that receivers can check their origin, content and age."""

from __future__ import annotations

import base64
import hashlib
from datetime import datetime, timedelta
from enum import StrEnum

import jwt
from standardwebhooks.webhooks import Webhook

_VALID = timedelta(minutes=5)
"""How old a message may be when it arrives: five minutes in both schemes' receivers."""


class Style(StrEnum):
    """How messages are signed."""

    STANDARD = "standard"
    """Standard Webhooks: ``webhook-id``, ``webhook-timestamp``, ``webhook-signature``."""
    LIVEKIT = "livekit"
    """LiveKit's scheme: a token in ``Authorization`` whose ``sha256`` is the body's digest; its ``jti``
    is the ``webhook-id``."""


def sign(
    style: Style, *, secret: str, key: str, message_id: str, time: datetime, body: str
) -> dict[str, str]:
    """The headers of a message.

    Args:
        style: the scheme.
        secret: shared with the receiver; for Standard Webhooks base64, with or without ``whsec_``.
        key: LiveKit's API key, by which its receivers find the secret.
        message_id: the same at every attempt.
        time: of this attempt, UTC.
        body: exactly as it is sent, in UTF-8.
    """
    if style is Style.LIVEKIT:
        claims = {
            "iss": key,
            "jti": message_id,
            "nbf": time - timedelta(seconds=10),
            "exp": time + _VALID,
            "sha256": base64.b64encode(hashlib.sha256(body.encode()).digest()).decode(),
        }
        return {
            "content-type": "application/webhook+json",
            "authorization": jwt.encode(claims, secret, algorithm="HS256"),
            "webhook-id": message_id,
        }
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(time.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, time, body),
    }
