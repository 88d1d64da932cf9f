"""Receive webhooks, verify their signatures (Standard Webhooks) and print incidents.

    export WEBHOOK_SECRET=whsec_$(openssl rand -base64 32)
    python examples/webhook_receiver.py --port 9000 &
    PROCTORING_WEBHOOKS='[{"url": "http://127.0.0.1:9000/", "secret": "'$WEBHOOK_SECRET'"}]' \\
      proctoring serve

A message may arrive more than once: its id tells repeats apart.
"""

import argparse
import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from standardwebhooks.webhooks import (
    EmptyWebhookSecretError,
    Webhook,
    WebhookVerificationError,
)

LARGEST = 1 << 20
"""Bytes of a message that is read; the server's are a few thousand."""


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 to a message that verifies, 401 to one that does not."""

    webhook: Webhook
    seen: set[str]

    def do_POST(self) -> None:
        headers = {name.lower(): value for name, value in self.headers.items()}
        try:
            length = int(headers.get("content-length", 0))
            message = self.webhook.verify(self.rfile.read(min(length, LARGEST)), headers)
        except (WebhookVerificationError, ValueError) as error:
            print(f"refused: {error}", flush=True)
            self.answer(401)
            return
        self.answer(204)
        if message["id"] not in self.seen:
            self.seen.add(message["id"])  # a database with a unique key, in production
            show(message)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """No line per request."""


def show(message: dict[str, Any]) -> None:
    """Print one message: an incident, or a session that started or ended."""
    data = message["data"]
    if message["type"] != "incident":
        print(f"{data['session_id']}: {message['type']}", flush=True)
        return
    for incident in data["incidents"]:
        print(
            f"{data['session_id']}: {incident['label']} {incident['state']}: {incident['reason']}",
            flush=True,
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=9000)
    options = parser.parse_args()
    try:
        Receiver.webhook = Webhook(os.environ.get("WEBHOOK_SECRET", ""))
    except (EmptyWebhookSecretError, ValueError) as error:
        sys.exit(f"error: WEBHOOK_SECRET: {error}")
    Receiver.seen = set()
    try:
        server = ThreadingHTTPServer((options.host, options.port), Receiver)
    except OSError as error:
        sys.exit(f"error: {options.host}:{options.port}: {error.strerror}")
    print(f"listening on http://{options.host}:{server.server_port}/", flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
