"""Receives webhooks, and believes those that are signed. It registers itself, and prints the first event, or so many.

paylera-mock exec -- python webhook_receiver.py
"""

import hashlib
import hmac
import json
import os
import sys
import time
import urllib.request
import uuid
from http.server import BaseHTTPRequestHandler, HTTPServer


def is_genuine(header: str, body: bytes, secret: str, now: float) -> bool:
    """Whether a raw body was signed with the secret less than five minutes ago. While secrets change it is twice."""
    parts = [part.strip().partition("=") for part in header.split(",")]
    timestamp = next((value for name, _, value in parts if name == "t"), "")
    if not (timestamp.isascii() and timestamp.isdecimal()) or abs(now - int(timestamp)) > 5 * 60:
        return False
    expected = hmac.new(secret.encode(), f"{timestamp}.".encode() + body, hashlib.sha256).hexdigest().encode()
    return any(hmac.compare_digest(expected, value.encode()) for name, _, value in parts if name == "v1")


class Handler(BaseHTTPRequestHandler):
    """Answers within ten seconds, and takes each event once: the same one may be delivered again."""

    secret, seen = "", {""}

    def do_POST(self) -> None:
        """Take one delivery in: 204, or 400 where it is not genuine."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        genuine = is_genuine(self.headers.get("Paylera-Signature", ""), body, self.secret, time.time())
        self.send_response(204 if genuine else 400)
        self.end_headers()
        if genuine and self.headers["Paylera-Event-Id"] not in self.seen:
            self.seen.add(self.headers["Paylera-Event-Id"])
            event = json.loads(body)
            print(event["type"], event["aggregate_id"], flush=True)  # noqa: T201 - that is what it is for


def register(url: str) -> str:
    """Register a URL for every event: the secret, which is shown this once."""
    headers = {"Authorization": f"Bearer {os.environ['PAYLERA_ADMIN_KEY']}", "Idempotency-Key": str(uuid.uuid4())}
    body = json.dumps({"url": url, "events": ["*"]}).encode()
    endpoints = f"{os.environ['PAYLERA_BASE_URL']}/v1/admin/webhook-endpoints"
    request = urllib.request.Request(endpoints, body, {"Content-Type": "application/json", **headers})  # noqa: S310
    with urllib.request.urlopen(request) as answer:  # noqa: S310 - the URL is the fake's
        return str(json.load(answer)["secret"])


if __name__ == "__main__":
    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        Handler.secret = register(f"http://127.0.0.1:{server.server_port}/hooks")
        while len(Handler.seen) <= int((sys.argv[1:] or [1])[0]):
            server.handle_request()
