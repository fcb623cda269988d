"""Take events: WEBHOOK_SECRET=whsec_… python examples/receive_webhook.py [PORT]

Prints one line for each genuine event. Needs `pip install standardwebhooks`. Answers at once, as a receiver
should: what takes longer belongs into a queue of its own.
"""

from __future__ import annotations

import os
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from standardwebhooks import Webhook, WebhookVerificationError

MAX_BYTES = 1_000_000
# An event may come twice: whoever acts on it keeps the ids in a database.
seen: set[str] = set()


class Receiver(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", "0"))
        if length > MAX_BYTES:
            self.answer(413)
            return
        body = self.rfile.read(length)
        try:
            event = Webhook(os.environ["WEBHOOK_SECRET"]).verify(body, dict(self.headers))
        except WebhookVerificationError:
            self.answer(401)
            return
        if self.headers["webhook-id"] not in seen:
            seen.add(self.headers["webhook-id"])
            data = event["data"]
            subject = next((value for name, value in data.items() if name.endswith("_id")), "")
            print(f"{event['timestamp']} {event['type']} {subject}", flush=True)
        self.answer(204)

    def answer(self, status: int) -> None:
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing: the lines above are the output."""


if __name__ == "__main__":
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 9000
    with ThreadingHTTPServer(("127.0.0.1", port), Receiver) as server:
        print(f"listening on {server.server_address[1]}", file=sys.stderr, flush=True)
        server.serve_forever()
