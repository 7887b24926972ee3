#!/usr/bin/env python3
"""What a developer's server looks like: takes webhooks and live audio, checks each signature, writes down what came.

Usage: demo_receiver.py PORT-FILE LOG-FILE SECRET-FILE

The signature is checked as Standard Webhooks 1.0 says, with nothing but the standard library. SECRET-FILE may appear
later; requests that come before it are answered with 503 and come again.
"""

import base64
import hashlib
import hmac
import http.server
import json
import os
import sys
import time

port_file, log_file, secret_file = sys.argv[1:4]


def secrets():
    with open(secret_file) as file:
        return [base64.b64decode(line.strip().removeprefix("whsec_")) for line in file if line.strip()]


def is_genuine(headers, body):
    """Whether one of the signatures is that of one of our secrets, and the attempt is young."""
    identity, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    if abs(time.time() - int(timestamp)) > 300:
        return False
    signed = f"{identity}.{timestamp}.".encode() + body
    wanted = {"v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode() for key in secrets()}
    return any(given in wanted for given in headers["webhook-signature"].split(" "))


class Receiver(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if not os.path.exists(secret_file):
            return self.answer(503)
        genuine = is_genuine(self.headers, body)
        entry = {"path": self.path, "id": self.headers["webhook-id"], "verified": genuine, "bytes": len(body)}
        if self.headers["content-type"] == "application/json":
            entry["type"] = json.loads(body).get("type")
        else:
            entry["sequence"] = self.headers["earshot-sequence"]
        with open(log_file, "a") as log:
            log.write(json.dumps(entry) + "\n")
        self.answer(204 if genuine else 401)

    def answer(self, status):
        self.send_response(status)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_):
        pass


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
with open(port_file + ".new", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(port_file + ".new", port_file)
server.serve_forever()
