"""The line about authentication that the server prints at start."""

from __future__ import annotations

from proctoring.server.access import Who

ACCESS = {
    Who.TOKENS: "Access: by token.",
    Who.LOCAL: "Access: local mode. This machine alone, without a token.",
    Who.INSECURE: "Access: INSECURE. Anybody who reaches this address, without a token.",
}
