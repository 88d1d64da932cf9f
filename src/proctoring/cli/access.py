"""What an operator is told about whom the server lets in."""

from __future__ import annotations

from proctoring.server.access import Who

WHO = {
    Who.TOKENS: "Access: by token.",
    Who.LOCAL: "Access: local mode. Everybody on this machine, without a token; no other machine.",
    Who.INSECURE: "Access: INSECURE. Everybody who reaches this address, without a token.",
}
