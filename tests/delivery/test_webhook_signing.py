"""What is signed here is taken by the receivers that others wrote, and by nobody else's secret."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import jwt
import pytest
from livekit.api import TokenVerifier, WebhookReceiver
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from proctoring.delivery.webhook_signing import Style, sign

SECRET = "whsec_" + "c2VjcmV0IG9mIHRlc3RzLCAyNCBieXRlcw=="
KEY, LIVEKIT_SECRET = "devkey", "a secret of forty characters or even more"
BODY = '{"id":"msg_1","event":"incident","createdAt":1767348002,"data":{"label":"Zürich"}}'


def signed(style: Style, time: datetime | None = None) -> dict[str, str]:
    secret = SECRET if style is Style.STANDARD else LIVEKIT_SECRET
    return sign(
        style, secret=secret, key=KEY, message_id="msg_1", time=time or datetime.now(UTC), body=BODY
    )


def test_a_standard_receiver_takes_it() -> None:
    assert Webhook(SECRET).verify(BODY.encode(), signed(Style.STANDARD))["id"] == "msg_1"


@pytest.mark.parametrize("case", ["another body", "another id", "another secret", "old"])
def test_a_standard_receiver_refuses_what_is_not_ours(case: str) -> None:
    old = datetime.now(UTC) - timedelta(minutes=6)
    headers = signed(Style.STANDARD, old if case == "old" else None)
    if case == "another id":
        headers["webhook-id"] = "msg_2"
    secret = SECRET if case != "another secret" else "whsec_" + "b3RoZXI" * 5 + "="
    body = BODY.replace("Z", "z") if case == "another body" else BODY
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


def livekit_receiver(secret: str = LIVEKIT_SECRET) -> WebhookReceiver:
    return WebhookReceiver(TokenVerifier(KEY, secret))


def test_a_livekit_receiver_takes_it() -> None:
    headers = signed(Style.LIVEKIT)
    assert headers["content-type"] == "application/webhook+json"
    signed_claims = jwt.decode(headers["authorization"], LIVEKIT_SECRET, ["HS256"])
    assert signed_claims["jti"] == headers["webhook-id"] == "msg_1"
    taken = livekit_receiver().receive(BODY, headers["authorization"])
    assert (taken.id, taken.event, taken.created_at) == ("msg_1", "incident", 1767348002)


@pytest.mark.parametrize("case", ["another body", "another secret", "old"])
def test_a_livekit_receiver_refuses_what_is_not_ours(case: str) -> None:
    old = datetime.now(UTC) - timedelta(minutes=10)
    headers = signed(Style.LIVEKIT, old if case == "old" else None)
    receiver = livekit_receiver("x" * 40 if case == "another secret" else LIVEKIT_SECRET)
    with pytest.raises(Exception, match=r"mismatch|Signature|expired"):
        receiver.receive(BODY + " " * (case == "another body"), headers["authorization"])
