#!/usr/bin/env python3
"""Acceptance runs against a real fleet; each prints what it measured and fails when a bound is broken."""

import argparse
import difflib
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import wave

LIBRIVOX = "/usr/share/pocketsphinx/test/data/librivox"
TWO_CITIES_WORDS = """it was the best of times it was the worst of times it was the age of wisdom it was the age of
foolishness it was the epoch of belief it was the epoch of incredulity it was the season of light it was the season of
darkness it was the spring of hope it was the winter of despair we had everything before us we had nothing before us we
were all going direct to heaven we were all going direct the other way in short the period was so far like the present
period that some of its noisiest authorities insisted on its being received for good or for evil in the superlative
degree of comparison only"""


class Fleet:
    """`earshot up` in a directory of its own."""

    def __init__(self, binary, workers="transcript=1"):
        self.binary = binary
        self.directory = tempfile.mkdtemp(prefix="earshot-acceptance-")
        self.log = open(self.directory + ".log", "wb")
        self.process = subprocess.Popen(
            [f"{binary}/earshot", "up", "--data-dir", self.directory, "--listen", "127.0.0.1:0", "--admin",
             "127.0.0.1:0", "--dev-auth", "--workers", workers, "--json"],
            stdout=subprocess.PIPE, stderr=self.log)
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"earshot up did not start, see {self.directory}.log")
        ready = json.loads(line)
        self.url, self.admin = ready["listen"], ready["admin"]

    def pids(self):
        return json.load(urllib.request.urlopen(self.admin + "/pids", timeout=10))

    def metrics(self):
        return urllib.request.urlopen(self.admin + "/metrics", timeout=10).read().decode()

    def metric(self, name):
        """The sum of a metric's samples."""
        return sum(float(line.rsplit(" ", 1)[1]) for line in self.metrics().splitlines()
                   if re.match(re.escape(name) + r"[{ ]", line))

    def stream(self, path, *options):
        """Runs `earshot stream --json` and returns its report."""
        return self.finish(self.start_stream(path, *options))

    def start_stream(self, path, *options):
        return subprocess.Popen(
            [f"{self.binary}/earshot", "stream", path, "--url", self.url, "--data-dir", self.directory, "--json",
             "--linger", "6", *options], stdout=subprocess.PIPE, stderr=self.log)

    @staticmethod
    def finish(process):
        out, _ = process.communicate()
        return json.loads(out)

    def stop(self):
        self.process.send_signal(signal.SIGINT)
        self.process.wait(120)
        shutil.rmtree(self.directory, ignore_errors=True)


def words(text):
    text = re.sub(r"</?s>", " ", text.lower().replace("\n", " ")).replace("mr.", "mister")
    return re.sub(r"[^a-z' ]", " ", text).replace("'", "").split()


def errors(reference, heard):
    """Word errors by edit distance."""
    row = list(range(len(heard) + 1))
    for i, word in enumerate(reference, 1):
        previous, row[0] = row[0], i
        for j, other in enumerate(heard, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (word != other))
    return row[-1]


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))] if values else float("nan")


def cpu_and_memory(pid):
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    with open(f"/proc/{pid}/status") as status:
        resident = int(re.search(r"VmRSS:\s+(\d+)", status.read())[1])
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), resident / 1024


class Usage:
    """CPU and memory of each process over a while."""

    def __init__(self, fleet):
        self.fleet, self.began = fleet, time.time()
        self.first = {(role, pid): cpu_and_memory(pid)[0] for role, pids in fleet.pids().items() for pid in pids}

    def report(self):
        elapsed = time.time() - self.began
        for (role, pid), before in sorted(self.first.items()):
            try:
                cpu, memory = cpu_and_memory(pid)
                print(f"    {role:12} {100 * (cpu - before) / elapsed:6.1f} % of a core  {memory:7.1f} MB")
            except FileNotFoundError:
                print(f"    {role:12} ended")


def librivox_sentences():
    texts = {}
    for line in open(f"{LIBRIVOX}/transcription"):
        match = re.match(r"(.*)\((\S+)\)\s*$", line)
        if match:
            texts[match[2]] = match[1]
    return [(f"{LIBRIVOX}/{name.strip()}.wav", texts[name.strip()]) for name in open(f"{LIBRIVOX}/fileids")
            if name.strip() in texts]


def speech(name):
    base = os.environ.get("EARSHOT_SPEECH_DIR", ".cache/speech")
    return f"{base}/moonshine_voice/assets/{name}"


def text_of(session):
    return " ".join(segment["text"] for segment in session["segments"])


def wer(fleet_binary):
    """Acceptance 2: word errors through the whole path, and identical text for one session and for ten."""
    fleet = Fleet(fleet_binary)
    try:
        material = librivox_sentences() + [(speech("two_cities.wav"), TWO_CITIES_WORDS)]
        for codec, rate in [("pcm16", 16000), ("opus", 16000), ("opus_fs320", 16000), ("pcm16", 8000)]:
            wrong = total = 0
            for index, (path, text) in enumerate(material):
                report = fleet.stream(path, "--codec", codec, "--sample-rate", str(rate), "--speed", "8", "--uid",
                                      f"wer-{codec}-{rate}-{index}")
                heard = words(text_of(report["sessions"][0]))
                wrong += errors(words(text), heard)
                total += len(words(text))
            print(f"  {codec:10} {rate} Hz: {wrong} of {total} words wrong, {100 * wrong / total:.1f} %")
        one = fleet.stream(speech("two_cities.wav"), "--codec", "opus_fs320", "--uid", "one", "--speed", "4")
        ten = fleet.stream(speech("two_cities.wav"), "--codec", "opus_fs320", "--uid", "ten", "--sessions", "10",
                           "--stagger", "5", "--speed", "1")
        reference = text_of(one["sessions"][0])
        same = sum(text_of(session) == reference for session in ten["sessions"])
        print(f"  ten interleaved sessions: {same} of 10 have the text of one alone")
        return same == 10
    finally:
        fleet.stop()


def disturb(binary, rounds, disturbance, label):
    """Streams while workers are disturbed; the text must be the undisturbed one's."""
    fleet = Fleet(binary, "transcript=2")
    recoveries = []
    good = 0
    try:
        path = speech("two_cities.wav")
        reference = text_of(fleet.stream(path, "--uid", "calm", "--speed", "4")["sessions"][0])
        done = 0
        while done < rounds:
            stream = fleet.start_stream(path, "--uid", f"{label}-{done}", "--linger", "12")
            began = time.time()
            while stream.poll() is None and time.time() - began < 42 and done < rounds:
                time.sleep(random.uniform(0.5, 4))
                if stream.poll() is not None:
                    break
                recoveries.append(disturbance(fleet))
                done += 1
            report = fleet.finish(stream)
            session = report["sessions"][0]
            heard = text_of(session)
            ids = [segment["id"] for segment in session["segments"]]
            if heard == reference and len(set(ids)) == len(ids):
                good += 1
            else:
                print("  DIFFERENT:", [x for x in difflib.ndiff(reference.split(), heard.split()) if x[0] != " "][:12])
                good = -10**6
        print(f"  {done} times {label}: text identical: {good > 0}, refused commits {fleet.metric('earshot_worker_commits_refused_total'):.0f}, "
              f"recovery p50 {quantile(recoveries, .5):.1f} s p99 {quantile(recoveries, .99):.1f} s max {max(recoveries):.1f} s")
        return good > 0 and quantile(recoveries, .99) <= 10
    finally:
        fleet.stop()


def kill_one(fleet):
    """Kills the worker that holds the stream's partition and measures until another has taken its leases."""
    victims = fleet.pids()["transcript"]
    before = lapsed_leases(fleet)
    os.kill(random.choice(victims), signal.SIGKILL)
    began = time.time()
    while time.time() - began < 30:
        time.sleep(0.1)
        if has_taken_over(fleet, before):
            return time.time() - began
    return 30.0


def lapsed_leases(fleet):
    """Lapsed leases taken, by node: a killed node's own count dies with it."""
    counts = {}
    for line in fleet.metrics().splitlines():
        if line.startswith("earshot_worker_leases_taken_total") and 'mode="lapsed"' in line and 'group="transcript"' in line:
            counts[re.search(r'node="([^"]*)"', line)[1]] = float(line.rsplit(" ", 1)[1])
    return counts


def has_taken_over(fleet, before):
    """Whether some node has taken lapsed leases since; a node that is new counts from nothing."""
    now = lapsed_leases(fleet)
    return any(count > before.get(node, 0) for node, count in now.items())


def stop_one(fleet):
    """Stops a worker for a minute, longer than any lease, and lets it go on."""
    victim = random.choice(fleet.pids()["transcript"])
    os.kill(victim, signal.SIGSTOP)
    began = time.time()

    def resume():
        time.sleep(60)
        try:
            os.kill(victim, signal.SIGCONT)
        except ProcessLookupError:
            pass

    threading.Thread(target=resume, daemon=True).start()
    before = lapsed_leases(fleet)
    while time.time() - began < 30:
        time.sleep(0.1)
        if has_taken_over(fleet, before):
            break
    recovered = time.time() - began
    time.sleep(max(0, 62 - (time.time() - began)))
    return recovered


def with_pauses(path):
    """The recording with a second of silence behind it, twice: speech with pauses."""
    source = wave.open(path)
    frames = source.readframes(source.getnframes())
    silence = b"\0\0" * source.getframerate()
    target = tempfile.mktemp(suffix=".wav")
    with wave.open(target, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(source.getframerate())
        out.writeframes((frames + silence) * 2)
    return target


def live(binary):
    """Acceptance 5: 30 live sessions of speech with pauses in real time."""
    fleet = Fleet(binary)
    path = with_pauses(speech("two_cities.wav"))
    try:
        usage = Usage(fleet)
        report = fleet.stream(path, "--uid", "live", "--sessions", "30", "--stagger", "44")
        print("  processes over the run:")
        usage.report()
        finals = [x / 1000 for s in report["sessions"] for x in s.get("final_latencies_ms", [])]
        interims = [s["first_interim_ms"] / 1000 for s in report["sessions"] if "first_interim_ms" in s]
        p50, p95 = quantile(finals, .5), quantile(finals, .95)
        print(f"  30 sessions: {report['completed']} completed, {len(finals)} finals, latency p50 {p50:.2f} s p95 {p95:.2f} s; "
              f"first interim p50 {quantile(interims, .5):.2f} s")
        return p50 <= 1.2 and p95 <= 2.5 and report["completed"] == 30
    finally:
        os.unlink(path)
        fleet.stop()


def backlog(binary):
    """Acceptance 5: at 200 sessions the backlog shows, nothing is lost, and it drains."""
    fleet = Fleet(binary)
    path = with_pauses(speech("two_cities.wav"))
    try:
        stream = fleet.start_stream(path, "--uid", "crowd", "--sessions", "200", "--stagger", "30", "--linger-max", "600",
                                    "--linger", "60")
        highest = 0
        while stream.poll() is None:
            time.sleep(5)
            highest = max(highest, fleet.metric("earshot_group_lag_entries"))
        report = fleet.finish(stream)
        drained = time.time()
        while fleet.metric("earshot_group_lag_entries") > 0 and time.time() - drained < 600:
            time.sleep(2)
        left = fleet.metric("earshot_group_lag_entries")
        lost = fleet.metric("earshot_gateway_frames_lost_total") + fleet.metric("earshot_worker_gaps_total")
        print(f"  200 sessions: {report['completed']} completed, highest lag {highest:.0f} entries, left {left:.0f}, lost {lost:.0f}")
        return report["completed"] == 200 and left == 0 and lost == 0
    finally:
        os.unlink(path)
        fleet.stop()


def idle(binary):
    """Acceptance 6: 500 sessions of silence held for a minute."""
    fleet = Fleet(binary)
    path = tempfile.mktemp(suffix=".wav")
    with wave.open(path, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(16000)
        out.writeframes(b"\0\0" * 16000 * 75)
    try:
        gateway = fleet.pids()["gateway"][0]
        cpu, memory = cpu_and_memory(gateway)
        stream = fleet.start_stream(path, "--codec", "opus_fs320", "--uid", "idle", "--sessions", "500", "--stagger", "5")
        time.sleep(15)
        usage = Usage(fleet)
        time.sleep(50)
        after, resident = cpu_and_memory(gateway)
        print("  processes over 50 s:")
        usage.report()
        print(f"  gateway: {1024 * (resident - memory) / 500:.1f} KB a session (C floor 7.9 KB); 25,000 messages/s offered")
        report = fleet.finish(stream)
        print(f"  {report['completed']} of 500 completed")
        return report["completed"] == 500
    finally:
        os.unlink(path)
        fleet.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("runs", nargs="*", default=[])
    options = parser.parse_args()
    runs = {
        "wer": lambda: wer(options.bin),
        "kills": lambda: disturb(options.bin, options.rounds, kill_one, "killed"),
        "stops": lambda: disturb(options.bin, 2, stop_one, "stopped"),
        "live": lambda: live(options.bin),
        "backlog": lambda: backlog(options.bin),
        "idle": lambda: idle(options.bin),
    }
    failed = []
    for name in options.runs or runs:
        print(f"== {name}: {runs[name].__doc__ or ''}".rstrip(": "), flush=True)
        began = time.time()
        if not runs[name]():
            failed.append(name)
        print(f"  ({time.time() - began:.0f} s)", flush=True)
    print("all bounds kept" if not failed else f"NOT kept: {' '.join(failed)}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
