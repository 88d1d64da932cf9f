"""The line about authentication that the server prints at start."""

from __future__ import annotations

from proctoring.server.access import AccessMode

ACCESS = {
    AccessMode.TOKENS: "Access: by token.",
    AccessMode.LOCAL: "Access: local mode. This machine alone, without a token.",
    AccessMode.INSECURE: "Access: INSECURE. Anybody who reaches this address, without a token.",
}
