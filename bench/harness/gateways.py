"""The gateways, each under the load of its own protocol. bench/load/src/bin/gateway is the client of all."""

import json
import os
import statistics
import subprocess
import time
import urllib.request
from pathlib import Path

from . import data
from .chat import median
from .measure import fsync_times, resident_mib, session_cpu
from .peers import PASSWORD, USERNAME, Wharf, free_port

MIB = 1 << 20
# No work of the load generator takes nearly as long: one that does hangs.
LOAD_SECONDS_MAX = 300
# People of PyChat who are all friends of each other: 1,260 chats in both directions.
FRIENDS = 36
QUICK_FRIENDS = 8


class WharfGateways(Wharf):
    """Wharf on SQLite with all gateways open and the bounds on senders out of the way: they are not what is measured."""

    config = """
[server]
connections = 30000
[server.live]
connections = 30000
per_account = 1000
per_address = 30000
[server.messages]
account_burst = 4000000000
account_per_minute = 4000000000
address_burst = 4000000000
address_per_minute = 4000000000
[gateway.netdisk]
listen = "127.0.0.1:{netdisk}"
connections = 4000
per_address = 4000
[gateway.pychat]
listen = "127.0.0.1:{pychat}"
connections = 4000
per_address = 4000
[gateway.filestored]
listen = "127.0.0.1:{filestored}"
run_dir = "{run_dir}"
connections = 4000
per_address = 4000
[gateway.diary]
listen = "127.0.0.1:{diary}"
key_per_second = 4000000000
key_burst = 4000000000
"""

    def start(self, run: str) -> None:
        names = ("netdisk", "pychat", "filestored", "diary")
        self.ports = {name: free_port() for name in names}
        self.run_dir = self.work / f"ipc-{run}"
        config = self.work / f"{run}.toml"
        config.write_text(self.config.format(**self.ports, run_dir=self.run_dir))
        os.environ["WHARF_CONFIG"] = str(config)
        super().start(run)

    def again(self) -> None:
        """Stops the server and starts it on the same data, so that it holds nothing but what it needs."""
        self.stop()
        self.serve()

    def gateway(self, name: str) -> str:
        return f"127.0.0.1:{self.ports[name]}"

    def command(self, load: Path, gateway: str, *work: str) -> list[str]:
        operator = ["--server", self.url, "--username", USERNAME, "--password", PASSWORD]
        return [str(load), *operator, "--gateway", gateway, *work]

    def measure(self, load: Path, gateway: str, *work: str) -> dict:
        """Runs one work of the load generator, with the server's processor time beside what it says."""
        command = self.command(load, gateway, *work)
        before = session_cpu(self.session)
        answer = subprocess.run(command, capture_output=True, text=True, timeout=LOAD_SECONDS_MAX)
        if answer.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: {answer.stderr[:2000]}")
        sample = json.loads(answer.stdout.splitlines()[-1])
        sample["server_cpu_seconds"] = session_cpu(self.session) - before
        return sample

    def figure(self, name: str, gateway: str) -> int:
        """One of the server's figures of a gateway; 0 where there is none yet."""
        with urllib.request.urlopen(f"{self.url}/metrics") as answer:
            for line in answer.read().decode().splitlines():
                if line.startswith(f'{name}{{gateway="{gateway}"}}'):
                    return int(float(line.split()[-1]))
        return 0


class Gateways:
    """What is measured. `bench` is the harness's run; a quick one tries whether everything works, its figures mean little."""

    # Enough for a median that is not the best or the worst one; each part takes some minutes.
    RUNS_MAX = 3

    def __init__(self, bench):
        self.bench = bench
        self.load = Path(f"{bench.load}-gateway")
        self.runs = min(bench.runs, self.RUNS_MAX)
        self.seconds = ("--seconds", "1" if bench.is_quick else "4")

    def title(self, text: str) -> None:
        p50, p99 = fsync_times(self.bench.work)
        self.bench.say(f"\n### {text}\n\nfsync of 4 KiB just before: p50 {p50:.2f} ms, p99 {p99:.2f} ms\n")

    def server(self, name: str) -> WharfGateways:
        server = WharfGateways(self.bench.work, self.bench.program)
        server.start(f"{name}-{time.monotonic_ns()}")
        return server

    def medians(self, server: WharfGateways, works: dict[str, tuple[str, tuple[str, ...]]]) -> list[tuple[str, dict]]:
        """Every work in turn on one server, with one warm-up and then the counted runs."""
        samples: dict[str, list[dict]] = {title: [] for title in works}
        for number in range(self.runs + 1):
            for title, (gateway, work) in works.items():
                sample = server.measure(self.load, gateway, *work, *self.seconds)
                if number > 0:
                    samples[title].append(sample)
        return [(title, median(found)) for title, found in samples.items()]

    def rates(self, rows: list[tuple[str, dict]], what: str, times: str, bars: dict[str, str], extra: str = "") -> None:
        """A table of rates."""
        self.bench.say(f"| work | {what} | to reach | p50 ms | p99 ms | most ms | {extra + ' | ' if extra else ''}server CPU s |")
        self.bench.say("| --- | --- | --- | --- | --- | --- | --- |" + (" --- |" if extra else ""))
        for title, sample in rows:
            rate = next(value for key, value in sample.items() if key.endswith("_per_second"))
            spread = sample[times]
            more = f"{sample[extra.replace(' ', '_')]} | " if extra else ""
            self.bench.say(
                f"| {title} | {rate:,.0f} | {bars.get(title, '')} | {spread['p50_ms']:.2f} | {spread['p99_ms']:.2f} | "
                f"{spread['max_ms']:.2f} | {more}{sample['server_cpu_seconds']:.2f} |"
            )

    def netdisk(self) -> None:
        """One large file through netdisk and through Wharf's own door, up and down, each on an empty store."""
        file = data.large_file(self.bench.inputs, "large.bin", 64 * MIB if self.bench.is_quick else self.bench.large_size)
        ways = {
            "plain HTTP (one PUT, one GET)": ("--way", "http"),
            "wharf put, wharf get": None,
            "netdisk, chunks of 4 MiB, one connection": ("--way", "chunks"),
            "netdisk, chunks of 4 MiB, four connections": ("--way", "chunks", "--connections", "4"),
            "netdisk, one JSON upload": ("--way", "whole"),
        }
        found: dict[str, dict[str, list[tuple[float, float]]]] = {way: {"up": [], "down": []} for way in ways}
        p50, p99 = fsync_times(self.bench.work)
        for number in range(self.runs + 1):
            for way, options in ways.items():
                server = self.server(f"netdisk-{number}")
                try:
                    for direction in ("up", "down"):
                        sample = self.transfer(server, file, options, direction)
                        if number > 0:
                            found[way][direction].append(sample)
                finally:
                    server.stop()
        self.bench.say(f"\n### netdisk: one file of {file.stat().st_size // MIB} MiB\n")
        self.bench.say(f"fsync of 4 KiB just before: p50 {p50:.2f} ms, p99 {p99:.2f} ms\n")
        self.bench.say("| way | up s | server CPU s | down s | server CPU s |")
        self.bench.say("| --- | --- | --- | --- | --- |")
        walls = {}
        for way, samples in found.items():
            up, up_cpu, down, down_cpu = (
                statistics.median(sample[column] for sample in samples[direction])
                for direction in ("up", "down")
                for column in (0, 1)
            )
            walls[way] = (up, down)
            self.bench.say(f"| {way} | {up:.3f} | {up_cpu:.2f} | {down:.3f} | {down_cpu:.2f} |")
        first, second, *others = walls
        for way in others:
            for other in (first, second):
                up, down = (theirs / ours for theirs, ours in zip(walls[other], walls[way], strict=True))
                bar = " (to reach: 0.8)" if other is first else ""
                self.bench.say(f"\n{way}: {up:.2f} × the speed of {other} up, {down:.2f} × down{bar}")

    def transfer(self, server: WharfGateways, file: Path, options, direction: str) -> tuple[float, float]:
        """Seconds, and those of the server's processors."""
        if options:
            work = ("transfer", *options, "--file", str(file), direction)
            sample = server.measure(self.load, server.gateway("netdisk"), *work)
            return sample["seconds"], sample["server_cpu_seconds"]
        if direction == "up":
            sample = server.up(file)
        else:
            target = self.bench.work / "targets" / f"netdisk-{time.monotonic_ns()}"
            target.mkdir(parents=True)
            sample = server.down(file, target)
        return sample.wall, sample.server_cpu

    def pychat(self) -> None:
        count = QUICK_FRIENDS if self.bench.is_quick else FRIENDS
        self.title(f"PyChat: {count} people, a chat open between each two of them ({count * (count - 1):,} connections)")
        server = self.server("pychat")
        try:
            people = str(server.work / f"people-{time.monotonic_ns()}.json")
            server.measure(self.load, server.gateway("pychat"), "befriend", "--people", str(count), "--file", people)
            work = ("pychat", "--file", people)
            rate = "500" if self.bench.is_quick else "5000"
            works = {
                "one message on the way in each direction of a chat": (server.gateway("pychat"), work),
                f"{int(rate):,} messages a second": (server.gateway("pychat"), (*work, "--rate", rate)),
            }
            bars = {next(iter(works)): "5,000"}
            self.rates(self.medians(server, works), "delivered a second", "send_to_delivery", bars, "missing")
        finally:
            server.stop()

    def filestored(self) -> None:
        count = 8 if self.bench.is_quick else 64
        self.title(f"filestored: chunks of 1,000 bytes, {count} connections")
        server = self.server("filestored")
        try:
            tcp, unix = server.gateway("filestored"), str(server.run_dir)
            ahead = ("--window", "16")
            works = {
                "put, TCP, newer frame, one on the way": (tcp, ("put",)),
                "put, TCP, newer frame, 16 on the way": (tcp, ("put", *ahead)),
                "put, TCP, older frame, 16 on the way": (tcp, ("put", "--frame", "old", *ahead)),
                "put, UNIX stream, newer frame, 16 on the way": (unix, ("put", "--transport", "stream", *ahead)),
                "put, UNIX packets, older frame, 16 on the way": (
                    unix,
                    ("put", "--transport", "packet", "--frame", "old", *ahead),
                ),
                "got, TCP, newer frame, one on the way": (tcp, ("get",)),
                "got, TCP, newer frame, 16 on the way": (tcp, ("get", *ahead)),
                "got, UNIX stream, newer frame, 16 on the way": (unix, ("get", "--transport", "stream", *ahead)),
            }
            size = ("--connections", "8", "--chunks", "100") if self.bench.is_quick else ()
            works = {title: (gateway, ("filestored", *work, *size)) for title, (gateway, work) in works.items()}
            bars = dict.fromkeys(works, "20,000")
            self.rates(self.medians(server, works), "chunks a second", "asked_to_answered", bars)
        finally:
            server.stop()

    def diary(self) -> None:
        self.title("The journal over UDP: 8 senders, each with a key of its own and 64 datagrams on the way")
        server = self.server("diary")
        try:
            address = server.gateway("diary")
            works = {
                "sealed, saved before: verified and acknowledged": (("again",), "50,000"),
                "with an HMAC, saved before": (("again", "--way", "signed"), "50,000"),
                "sealed with a wrong tag: refused": (("forged",), "50,000"),
                "sealed, new: acknowledged when durable": (("new",), "5,000"),
                "with an HMAC, new": (("new", "--way", "signed"), "5,000"),
            }
            bars = {title: bar for title, (_, bar) in works.items()}
            rows = self.medians(server, {title: (address, ("diary", *work)) for title, (work, _) in works.items()})
            self.rates(rows, "datagrams a second", "sent_to_answered", bars, "sent again")
            kernel = server.figure("wharf_gateway_kernel_drops_total", "diary")
            dropped = server.figure("wharf_gateway_datagrams_dropped_total", "diary")
            self.bench.say(f"\nDropped in all runs: {kernel} by the kernel, {dropped} by the server")
        finally:
            server.stop()

    def idle(self) -> None:
        """Resident memory of connections that are logged in and do nothing."""
        count = 100 if self.bench.is_quick else 1_000
        self.bench.say(f"\n### {count:,} connections that are logged in and do nothing, four of each person\n")
        self.bench.say("| gateway | connected | resident before MiB | after MiB | they cost MiB | to reach | lost |")
        self.bench.say("| --- | --- | --- | --- | --- | --- | --- |")
        for kind in ("netdisk", "pychat", "filestored"):
            samples = [self.held(kind, count) for _ in range(self.runs)]
            connected, before, after, lost = sorted(samples, key=lambda held: held[2] - held[1])[len(samples) // 2]
            self.bench.say(
                f"| {kind} | {connected:,} | {before:.1f} | {after:.1f} | {after - before:.1f} | {count // 50} | {lost} |"
            )

    def held(self, kind: str, count: int) -> tuple[int, float, float, int]:
        """Connections, resident memory before and after, and how many were lost."""
        server = self.server(f"idle-{kind}")
        try:
            file = str(server.work / f"guests-{time.monotonic_ns()}.json")
            work = ("hold", kind, "--connections", str(count), "--file", file)
            server.measure(self.load, server.gateway(kind), *work, "--prepare")
            server.again()
            command = server.command(self.load, server.gateway(kind), *work)
            holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            settle = 1 if self.bench.is_quick else 15
            holder.stdout.readline()
            time.sleep(settle)
            before = resident_mib(server.process.pid)
            holder.stdin.write("\n")
            holder.stdin.flush()
            connected = json.loads(holder.stdout.readline())["connected"]
            time.sleep(settle)
            after = resident_mib(server.process.pid)
            holder.stdin.close()
            lost = json.loads(holder.stdout.readline())["lost"]
            holder.wait()
            return connected, before, after, lost
        finally:
            server.stop()
