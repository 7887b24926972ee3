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

import acceptance_dependencies

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
        with open(f"{self.directory}/secrets/redis") as secret:
            self.redis_password = secret.read().strip()

    def pids(self):
        return json.load(urllib.request.urlopen(self.admin + "/pids", timeout=10))

    def state(self):
        """What `earshot up` keeps about its processes."""
        with open(f"{self.directory}/state.json") as state:
            return json.load(state)

    def earshot(self, *arguments):
        """Runs a command of the CLI on this fleet's data and returns its output."""
        return subprocess.run([f"{self.binary}/earshot", *arguments, "--data-dir", self.directory],
                              stdout=subprocess.PIPE, check=True, text=True).stdout

    def redis(self, *command):
        """What a command gives, as lines."""
        environment = dict(os.environ, REDISCLI_AUTH=self.redis_password)
        port = str(self.state()["redis_port"])
        return subprocess.run(["redis-cli", "-p", port, *command], stdout=subprocess.PIPE, check=True, text=True,
                              env=environment).stdout.splitlines()

    def lease(self, uid):
        """The transcript group's lease of a user's partition: owner, and the number of its last commit."""
        hash_ = 0xCBF29CE484222325
        for byte in uid.encode():
            hash_ = (hash_ ^ byte) * 0x100000001B3 % 2**64
        owner, number = self.redis("HMGET", f"earshot:{{p{hash_ % 256:03}}}:lease:transcript", "owner", "number")
        return owner, int(number or 0)

    def watch_results(self):
        """Notes when words were last published to a gateway, interim ones too; only the streams' own worker publishes."""
        self.published = 0.0
        environment = dict(os.environ, REDISCLI_AUTH=self.redis_password)
        watcher = subprocess.Popen(["redis-cli", "-p", str(self.state()["redis_port"]), "PSUBSCRIBE", "earshot:results:*"],
                                   stdout=subprocess.PIPE, env=environment)

        def read():
            for line in watcher.stdout:
                if line.startswith(b"pmessage"):
                    self.published = time.time()

        threading.Thread(target=read, daemon=True).start()
        return watcher

    def pid(self, incarnation):
        """The process of an incarnation; its name begins with the node's."""
        for child in self.state()["children"]:
            if child["role"] == "transcript" and incarnation.startswith(child["node"] + "#"):
                return child["process"]["pid"]
        raise ProcessLookupError(incarnation)

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
        # A report of many sessions is longer than a pipe holds, and it is read only when the process has ended.
        report = tempfile.TemporaryFile()
        process = subprocess.Popen(
            [f"{self.binary}/earshot", "stream", path, "--url", self.url, "--data-dir", self.directory, "--json",
             "--linger", "6", *options], stdout=report, stderr=self.log)
        process.report = report
        return process

    def stored(self, conversation, uid):
        """A conversation's stored audio as a WAV file, once all of it is stored."""
        path = f"{self.directory}/stored.wav"
        until = time.time() + 60
        while time.time() < until and self.metric("earshot_group_lag_entries") > 0:
            time.sleep(0.5)
        while True:
            try:
                self.earshot("audio", conversation, "-o", path, "--uid", uid)
                return path
            except subprocess.CalledProcessError:
                if time.time() > until:
                    raise
                time.sleep(0.5)

    def settled(self):
        """Waits until a change of settings has reached the gateway: a second."""
        time.sleep(2)

    @staticmethod
    def finish(process):
        process.wait()
        with process.report as report:
            report.seek(0)
            return json.loads(report.read())

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


def decoded(path, rate):
    """A recording as 16 kHz floats, through another rate if it is one: what a server has of PCM."""
    import numpy
    steps = [] if rate == 16000 else ["rate", str(rate)]
    raw = subprocess.run(["sox", path, "-t", "raw", "-r", "16000", "-c", "1", "-e", "float", "-b", "32", "-", *steps],
                         stdout=subprocess.PIPE, check=True).stdout
    return numpy.frombuffer(raw, dtype="<f4")


def wer(fleet_binary):
    """Acceptance 2: word errors through the whole path, beside the engine's own on the same decoded samples; one is as ten."""
    from moonshine_voice import ModelArch
    from moonshine_voice.transcriber import Transcriber
    engine = Transcriber(speech("tiny-en"), ModelArch.TINY)
    fleet = Fleet(fleet_binary)
    kept = True
    try:
        material = librivox_sentences() + [(speech("two_cities.wav"), TWO_CITIES_WORDS)]
        for codec, rate in [("pcm16", 16000), ("opus", 16000), ("opus_fs320", 16000), ("pcm16", 8000)]:
            wrong = alone = total = 0
            for index, (path, text) in enumerate(material):
                uid = f"wer-{codec}-{rate}-{index}"
                fleet.earshot("user", uid, "--storage", "on")
                fleet.settled()
                session = fleet.stream(path, "--codec", codec, "--sample-rate", str(rate), "--speed", "4", "--uid", uid)["sessions"][0]
                wrong += errors(words(text), words(text_of(session)))
                total += len(words(text))
                if codec.startswith("opus"):
                    # Opus is stored as it came: decoded, it is what the worker had.
                    path = fleet.stored(session["conversation_id"], uid)
                heard = " ".join(line.text for line in engine.transcribe_without_streaming(decoded(path, rate).tolist(), 16000).lines)
                alone += errors(words(text), words(heard))
            print(f"  {codec:10} {rate:5} Hz: {wrong} of {total} words wrong, {100 * wrong / total:.1f} %; "
                  f"the engine alone {alone}, {100 * alone / total:.1f} %", flush=True)
            kept = kept and 100 * (wrong - alone) / total <= 2
        one = fleet.stream(speech("two_cities.wav"), "--codec", "opus_fs320", "--uid", "one", "--speed", "4")
        ten = fleet.stream(speech("two_cities.wav"), "--codec", "opus_fs320", "--uid", "ten", "--sessions", "10",
                           "--stagger", "5", "--speed", "1")
        reference = text_of(one["sessions"][0])
        same = sum(text_of(session) == reference for session in ten["sessions"])
        print(f"  ten interleaved sessions: {same} of 10 have the text of one alone")
        return kept and same == 10
    finally:
        engine.close()
        fleet.stop()


def disturb(binary, rounds, disturbance, label):
    """Streams while the worker that owns the stream's partition is disturbed; the text must be the undisturbed one's."""
    fleet = Fleet(binary, "transcript=2")
    watcher = fleet.watch_results()
    recoveries = []
    different = 0
    try:
        path = speech("two_cities.wav")
        reference = text_of(fleet.stream(path, "--uid", "calm", "--speed", "4")["sessions"][0])
        while len(recoveries) < rounds:
            uid = f"{label}-{len(recoveries)}"
            stream = fleet.start_stream(path, "--uid", uid, "--linger", "12")
            began = time.time()
            while time.time() - began < 40 and len(recoveries) < rounds:
                time.sleep(random.uniform(0.5, 4))
                if time.time() - began < 40:
                    recoveries.append(disturbance(fleet, uid))
            session = fleet.finish(stream)["sessions"][0]
            heard = text_of(session)
            ids = [segment["id"] for segment in session["segments"]]
            if heard != reference or len(set(ids)) != len(ids):
                different += 1
                print("  DIFFERENT:", [x for x in difflib.ndiff(reference.split(), heard.split()) if x[0] != " "][:12])
        refused = fleet.metric("earshot_worker_commits_refused_total")
        print(f"  {len(recoveries)} times {label}: streams with another text {different}, refused commits {refused:.0f}, recovery p50 "
              f"{quantile(recoveries, .5):.1f} s p99 {quantile(recoveries, .99):.1f} s max {max(recoveries):.1f} s")
        return different == 0 and quantile(recoveries, .99) <= 10 and (label != "stopped" or refused > 0)
    finally:
        watcher.kill()
        fleet.stop()


def until_next_owner(fleet, uid, owner):
    """Seconds until another owner than this one has committed, or published words."""
    began = time.time()
    while time.time() - began < 60:
        time.sleep(0.05)
        now, number = fleet.lease(uid)
        if now != owner and (number > 0 or fleet.published > began):
            break
    return time.time() - began


def kill_owner(fleet, uid):
    """Kills the worker that holds the stream's partition and measures until the next owner's first commit or words."""
    owner, _ = fleet.lease(uid)
    os.kill(fleet.pid(owner), signal.SIGKILL)
    return until_next_owner(fleet, uid, owner)


def stop_owner(fleet, uid):
    """Stops the worker that holds the stream's partition for a minute, longer than any lease, and lets it go on."""
    owner, _ = fleet.lease(uid)
    pid = fleet.pid(owner)
    os.kill(pid, signal.SIGSTOP)
    began = time.time()
    recovered = until_next_owner(fleet, uid, owner)
    time.sleep(max(0, 60 - (time.time() - began)))
    os.kill(pid, signal.SIGCONT)
    time.sleep(3)
    return recovered


def gateway(binary):
    """Acceptance 4: a killed gateway's sessions get their end, what was said is in the record, and the record says why."""
    fleet = Fleet(binary)
    try:
        path = speech("two_cities.wav")
        reference = words(text_of(fleet.stream(path, "--uid", "calm", "--speed", "4")["sessions"][0]))
        stream = fleet.start_stream(path, "--uid", "cut", "--sessions", "5", "--stagger", "6")
        time.sleep(24)
        os.kill(fleet.pids()["gateway"][0], signal.SIGKILL)
        killed = time.time()
        fleet.finish(stream)
        while time.time() - killed < 60:
            sessions = [s for s in json.loads(fleet.earshot("sessions", "--all", "--json"))["sessions"] if s["uid"].startswith("cut-")]
            if len(sessions) == 5 and all("ended_at" in s for s in sessions):
                break
            time.sleep(0.5)
        took = time.time() - killed
        good = len(sessions) == 5
        for session in sessions:
            heard = words(" ".join(s["text"] for s in json.loads(
                fleet.earshot("sessions", session["session_id"], "--json"))["segments"]))
            missed = errors(reference[:len(heard)], heard)
            spoken = len(reference) * session["audio_seconds"] / 44.4
            print(f"  {session['uid']}: {session.get('end_reason')}, {session['audio_seconds']:.1f} s of audio, {len(heard)} words in "
                  f"the record (about {spoken:.0f} spoken), {missed} differ from the undisturbed text")
            good = good and session.get("end_reason") == "gateway_dead" and len(heard) >= spoken * 0.7 - 6 and missed <= 4
        print(f"  all ended {took:.1f} s after the kill")
        return good
    finally:
        fleet.stop()


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
        sooner = quantile(interims, .5) < quantile([s["segments"][0]["end"] - s["segments"][0]["start"] for s in report["sessions"]], .5) + p50
        print(f"  30 sessions: {report['completed']} completed, {len(finals)} finals, latency p50 {p50:.2f} s p95 {p95:.2f} s; "
              f"first interim p50 {quantile(interims, .5):.2f} s")
        return p50 <= 1.2 and p95 <= 2.5 and report["completed"] == 30 and len(interims) == 30 and sooner
    finally:
        os.unlink(path)
        fleet.stop()


def backlog(binary):
    """Acceptance 5: at 200 sessions the backlog shows, nothing is lost, and it drains."""
    fleet = Fleet(binary)
    path = with_pauses(speech("two_cities.wav"))
    try:
        reference = words(text_of(fleet.stream(path, "--uid", "calm", "--speed", "4")["sessions"][0]))
        stream = fleet.start_stream(path, "--uid", "crowd", "--sessions", "200", "--stagger", "30")
        lags = []
        while stream.poll() is None:
            time.sleep(5)
            lags.append(fleet.metric("earshot_group_lag_entries"))
        highest = max(lags)
        print("  lag every 30 s:", " ".join(f"{lag:.0f}" for lag in lags[::6]))
        report = fleet.finish(stream)
        drained = time.time()
        while fleet.metric("earshot_group_lag_entries") > 0 and time.time() - drained < 600:
            time.sleep(2)
        left = fleet.metric("earshot_group_lag_entries")
        took = time.time() - drained
        wrong = same = 0
        for session in report["sessions"]:
            if "session_id" not in session:
                print(f"  {session['uid']}: {session['outcome']} {session.get('error')}")
                continue
            heard = words(" ".join(s["text"] for s in json.loads(
                fleet.earshot("sessions", session["session_id"], "--json"))["segments"]))
            wrong += errors(reference, heard)
            same += heard == reference
        print(f"  drained {took:.0f} s after the last device; {same} of 200 records have the undisturbed words, "
              f"{wrong} of {200 * len(reference)} words differ")
        lost = fleet.metric("earshot_gateway_frames_lost_total") + fleet.metric("earshot_worker_gaps_total")
        print(f"  200 sessions: {report['completed']} completed, highest lag {highest:.0f} entries, left {left:.0f}, lost {lost:.0f}")
        return report["completed"] == 200 and left == 0 and lost == 0 and highest > 1000 and wrong < 2 * len(reference)
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
    parser.add_argument("--full", action="store_true", help="dependencies: the store away 10 minutes, Postgres 5")
    parser.add_argument("runs", nargs="*", default=[])
    options = parser.parse_args()
    runs = {
        "wer": lambda: wer(options.bin),
        "kills": lambda: disturb(options.bin, options.rounds, kill_owner, "killed"),
        "stops": lambda: disturb(options.bin, 2, stop_owner, "stopped"),
        "gateway": lambda: gateway(options.bin),
        "live": lambda: live(options.bin),
        "backlog": lambda: backlog(options.bin),
        "idle": lambda: idle(options.bin),
        "dependencies": lambda: acceptance_dependencies.run(options.bin, sys.modules[__name__], options.full),
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
