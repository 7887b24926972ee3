#!/usr/bin/env python3
"""Webhooks of Earshot against the same work in Python with aiohttp, and the transport at 8, 64 and 512 transfers.

Usage: scripts/bench_webhooks.py --bin DIR [--requests N] [--connections N] [--python FILE]

Every sender signs a body of 1 KiB with HMAC-SHA256 after Standard Webhooks and posts it over as many kept connections
to the same receiver, one sender after the other, in one run. `stored` is what the worker does: each webhook is claimed
from Postgres and recorded there with its attempt. Figures are ratios to read side by side, never tests.
"""
import argparse
import json
import os
import subprocess
import sys

PYTHON_SENDER = r'''
import asyncio, base64, hashlib, hmac, json, os, resource, sys, time, uuid
import aiohttp

url, requests, connections = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
secret = os.urandom(32)
body = json.dumps({"text": "a" * 1013}, separators=(",", ":")).encode()


def headers():
    delivery, now = str(uuid.uuid4()), str(int(time.time()))
    code = hmac.new(secret, f"{delivery}.{now}.".encode() + body, hashlib.sha256).digest()
    return {"Content-Type": "application/json", "Earshot-Event": "transcript.segments", "Earshot-Sequence": "1",
            "Earshot-Attempt": "1", "webhook-id": delivery, "webhook-timestamp": now,
            "webhook-signature": "v1," + base64.b64encode(code).decode()}


async def main():
    left = requests
    timeout = aiohttp.ClientTimeout(total=15, sock_connect=2)
    connector = aiohttp.TCPConnector(limit=connections, limit_per_host=connections)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        async def worker():
            nonlocal left
            while left > 0:
                left -= 1
                async with session.post(url, data=body, headers=headers(), allow_redirects=False) as response:
                    await response.content.read(16384)
                    if response.status != 200:
                        raise SystemExit(f"status {response.status}")

        started, used = time.monotonic(), resource.getrusage(resource.RUSAGE_SELF)
        await asyncio.gather(*(worker() for _ in range(connections)))
        now = resource.getrusage(resource.RUSAGE_SELF)
        print(json.dumps({"name": "aiohttp", "requests": requests, "connections": connections,
                          "seconds": time.monotonic() - started,
                          "cpu_seconds": now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime}))


asyncio.run(main())
'''


def measure(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    report = json.loads(result.stdout.strip().splitlines()[-1])
    report["rate"] = report["requests"] / report["seconds"]
    report["cpu_us"] = report["cpu_seconds"] / report["requests"] * 1e6
    return report


def show(label, report):
    print(f"{label:34} {report['rate']:8.0f} /s   {report['cpu_us']:7.1f} µs of processor each", flush=True)


def main():
    arguments = argparse.ArgumentParser()
    arguments.add_argument("--bin", required=True)
    arguments.add_argument("--requests", type=int, default=20_000)
    arguments.add_argument("--connections", type=int, default=64)
    arguments.add_argument("--python", default=".cache/python/bin/python")
    options = arguments.parse_args()
    bench = os.path.join(options.bin, "earshot-bench")
    receiver = subprocess.Popen([bench, "receiver"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        url = f"http://127.0.0.1:{int(receiver.stdout.readline())}/hook"
        counts = ["--requests", str(options.requests), "--connections", str(options.connections)]
        print(f"{options.requests} webhooks of 1 KiB over {options.connections} connections", flush=True)
        python = measure([options.python, "-c", PYTHON_SENDER, url, str(options.requests), str(options.connections)])
        show("Python, aiohttp: sign, send", python)
        ours = measure([bench, "webhooks", "--url", url, *counts])
        show("Earshot: sign, send", ours)
        stored = measure([bench, "webhooks", "--stored", "--url", url, *counts])
        show("Earshot: claim, sign, send, record", stored)
        print(f"Earshot to aiohttp: {ours['rate'] / python['rate']:.2f} times the rate, "
              f"{ours['cpu_us'] / python['cpu_us']:.2f} of the processor time; with Postgres "
              f"{stored['rate'] / python['rate']:.2f} and {stored['cpu_us'] / python['cpu_us']:.2f}", flush=True)
        rates = {}
        for transfers in [8, 64, 512]:
            report = measure([bench, "transport", "--url", url, "--transfers", str(transfers),
                              "--requests", str(options.requests)])
            rates[transfers] = report["rate"]
            show(f"transport, {transfers} at once", report)
        print(f"512 at once to 64: {rates[512] / rates[64]:.2f} of the rate", flush=True)
    finally:
        receiver.stdin.close()
        receiver.wait(timeout=10)


if __name__ == "__main__":
    sys.exit(main())
