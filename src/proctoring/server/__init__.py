"""HTTP and WebSocket: no pixels, no rules."""
