"""The comparisons, and the tables that they print."""

import argparse
import json
import os
import platform
import resource
import shutil
import signal
import subprocess
import time
from pathlib import Path

from . import chat, data, gateways
from .measure import Result, Sample, fsync_times, resident_mib
from .peers import PASSWORD, USERNAME, Copy, Nginx, Peer, Rclone, Rsync, RsyncDurable, Wharf, missing

MIB = 1 << 20


class Bench:
    """One run of the harness: its folders, its programs and what it has printed."""

    def __init__(self, options: argparse.Namespace):
        self.runs = options.runs
        self.is_quick = options.quick
        self.work = Path(options.work).resolve() / time.strftime("%Y%m%d-%H%M%S")
        self.work.mkdir(parents=True)
        self.inputs = Path(options.work).resolve() / "inputs"
        self.inputs.mkdir(exist_ok=True)
        self.program = Path(options.wharf).resolve()
        self.load = Path(options.load).resolve()
        self.chat_load = Path(f"{self.load}-chat")
        self.small_count = options.small
        self.large_size = options.large * MIB
        self.without = set(options.without or [])
        self.lines: list[str] = []

    def say(self, line: str = "") -> None:
        print(line, flush=True)
        self.lines.append(line)

    def peers(self, *kinds: type[Peer]) -> list[Peer]:
        """Wharf and the peers; one that is not installed ends the run, since a table with holes misleads."""
        self.check_installed(*kinds)
        kinds = tuple(kind for kind in kinds if kind.name not in self.without)
        return [Wharf(self.work, self.program), *(kind(self.work) for kind in kinds)]

    def check_installed(self, *kinds: type[Peer]) -> None:
        for kind in kinds:
            if kind.name not in self.without and (lacking := missing(kind)):
                raise SystemExit(f"{kind.name}: not installed: {', '.join(lacking)} (see bench/README.md)")

    def table(self, title: str, results: list[Result], against: dict[str, str]) -> None:
        """Prints medians, and the ratios of Wharf to the programs that `against` names with their bars."""
        self.say(f"\n### {title}\n")
        self.say("| program | durable | median s | range s | client CPU s | server CPU s | client peak MiB |")
        self.say("| --- | --- | --- | --- | --- | --- | --- |")
        for result in results:
            self.say("| " + " | ".join(result.row()) + " |")
        wharf = results[0].median
        for result in results[1:]:
            bar = f" (to reach: {against[result.program]})" if result.program in against else ""
            self.say(f"\nWharf / {result.program} = {wharf / result.median:.2f}{bar}")

    def alternate(self, peers: list[Peer], measure) -> list[Result]:
        """Runs every program in turn, one warm-up and then `runs` times."""
        results = [Result(peer.name, peer.durable) for peer in peers]
        for number in range(self.runs + 1):
            for peer, result in zip(peers, results, strict=True):
                label = f"{measure.__name__}-{number}"
                peer.start(label)
                try:
                    sample = measure(peer, label)
                finally:
                    peer.stop()
                if number > 0:
                    result.samples.append(sample)
        return results


def up_and_down(bench: Bench, source: Path, what: str, peers: list[Peer], bars_up: dict, bars_down: dict) -> None:
    """Sends `source` and fetches it again, each on an empty store."""
    downs = {peer.name: Result(peer.name, peer.durable) for peer in peers}

    def both(peer: Peer, label: str) -> Sample:
        sample = peer.up(source)
        target = bench.work / "targets" / peer.name.replace(" ", "-") / label
        target.mkdir(parents=True)
        down = peer.down(source, target)
        same = subprocess.run(["diff", "-r", "-q", source, target / source.name], capture_output=True, text=True)
        if same.returncode != 0:
            raise SystemExit(f"{peer.name}: what came back differs: {same.stdout[:500]}")
        if not label.endswith("-0"):
            downs[peer.name].samples.append(down)
        return sample

    ups = bench.alternate(peers, both)
    bench.table(f"{what} up", ups, bars_up)
    bench.table(f"{what} down", list(downs.values()), bars_down)


def small(bench: Bench) -> None:
    tree = data.small_files(bench.inputs, bench.small_count)
    what = f"{bench.small_count} files of 1–16 KiB ({data.tree_bytes(tree) // MIB} MiB)"
    # Not rclone: its WebDAV client stops at about a hundred calls a second, so this would take minutes for each run.
    peers = bench.peers(Rsync, RsyncDurable, Nginx, Copy)
    up_and_down(bench, tree, what, peers, {"rsync": "1.5, aim 1.0", "rsync --fsync": "0.15"}, {"rsync": "1.5, aim 1.0"})


def unchanged(bench: Bench) -> None:
    tree = data.small_files(bench.inputs, bench.small_count)

    def again(peer: Peer, label: str) -> Sample:
        peer.up(tree)
        return peer.up(tree)

    results = bench.alternate(bench.peers(Rsync), again)
    bench.table(f"{bench.small_count} files again, nothing changed", results, {"rsync": "1.2"})


def large(bench: Bench) -> None:
    file = data.large_file(bench.inputs, "large.bin", bench.large_size)
    peers = bench.peers(Rsync, RsyncDurable, Nginx, Rclone, Copy)
    what = f"One file of {bench.large_size // MIB} MiB"
    up_and_down(bench, file, what, peers, {"rsync --fsync": "1.1"}, {"rsync": "1.0"})


def changed(bench: Bench) -> None:
    original = data.large_file(bench.inputs, "large.bin", bench.large_size)
    folder = bench.inputs / f"changed-{bench.large_size}"
    variants = {
        "one byte changed": (data.with_byte_changed(original, folder / "changed" / "large.bin"), {"rsync": "0.7"}, 4),
        "one byte inserted at the front": (data.with_byte_inserted(original, folder / "inserted" / "large.bin"), {}, 8),
    }
    for what, (variant, bars, mib) in variants.items():

        def send(peer: Peer, label: str, variant: Path = variant) -> Sample:
            peer.up(original)
            return peer.up(variant)

        # Names the stores of these runs.
        send.__name__ = what.replace(" ", "-")
        results = bench.alternate(bench.peers(Rsync), send)
        bench.table(f"{bench.large_size // MIB} MiB sent again, {what}", results, bars)
        for result in results:
            sent = max(sample.facts.get("sent_bytes") or 0 for sample in result.samples)
            bar = f" (to reach: {mib} MiB)" if result.program == "Wharf" else ""
            bench.say(f"\n{result.program} sent {sent / MIB:.2f} MiB{bar}")


def resumed(bench: Bench) -> None:
    """Kills the client when about half has gone, runs the same command again, and counts what is sent twice."""
    file = data.large_file(bench.inputs, "large.bin", bench.large_size)
    bench.say(f"\n### {bench.large_size // MIB} MiB, the client killed at about half, then the same command again\n")
    bench.say("| run | sent before the cut MiB | sent after MiB | sent twice |")
    bench.say("| --- | --- | --- | --- |")
    for number in range(bench.runs):
        peer = Wharf(bench.work, bench.program)
        peer.start(f"resumed-{number}")
        try:
            cut_at = received(peer) + bench.large_size // 2
            client = subprocess.Popen([peer.program, "put", str(file), "/"], env=peer.env, stdout=subprocess.DEVNULL)
            while received(peer) < cut_at and client.poll() is None:
                time.sleep(0.002)
            client.send_signal(signal.SIGKILL)
            client.wait()
            time.sleep(0.5)
            before = received(peer)
            _, answer = peer.wharf("put", str(file), "/")
            after = answer["report"]["bytes_wire"]
            twice = max(0, before + after - bench.large_size) / bench.large_size
            bench.say(f"| {number + 1} | {before / MIB:.1f} | {after / MIB:.1f} | {twice:.2%} (to reach: 1 %) |")
        finally:
            peer.stop()


def received(peer: Wharf) -> int:
    """Bytes that the server has received, by its metrics."""
    answer = subprocess.run(
        ["curl", "-sS", f"{peer.url}/metrics"], capture_output=True, text=True, check=True
    ).stdout
    for line in answer.splitlines():
        if line.startswith("wharf_received_bytes_total"):
            return int(float(line.split()[-1]))
    return 0


def load(bench: Bench) -> None:
    """Many clients and many nodes: figures that a load generator measures over the API."""
    peer = Wharf(bench.work, bench.program)
    peer.start("load")
    try:
        base = [str(bench.load), "--server", peer.url, "--username", USERNAME, "--password", PASSWORD]
        idle = resident_mib(peer.process.pid)
        for arguments in (["commits", "--clients", "64", "--seconds", "10"], ["changes", "--nodes", "1000000"]):
            answer = subprocess.run([*base, *arguments], capture_output=True, text=True, check=True)
            bench.say(f"\n### {' '.join(arguments)}\n")
            for key, value in json.loads(answer.stdout).items():
                bench.say(f"- {key}: {value}")
        now, most = peer.server_memory()
        bench.say(f"\nServer memory: idle {idle:.0f} MiB; afterwards {now:.0f} MiB, at most {most:.0f} MiB")
    finally:
        peer.stop()


def memory(bench: Bench) -> None:
    """Resident memory of the server, idle after its start and at its most during the large and the small transfers."""
    bench.say("\n### Memory\n")
    peer = Wharf(bench.work, bench.program)
    peer.start("memory")
    try:
        time.sleep(1)
        bench.say(f"- server idle: {resident_mib(peer.process.pid):.0f} MiB (to reach: 30)")
        client = 0.0
        for source in (
            data.large_file(bench.inputs, "large.bin", bench.large_size),
            data.small_files(bench.inputs, bench.small_count),
        ):
            target = bench.work / "targets" / "memory"
            target.mkdir(parents=True, exist_ok=True)
            client = max(client, peer.up(source).client_peak_mib, peer.down(source, target).client_peak_mib)
        bench.say(f"- server at work, at most: {resident_mib(peer.process.pid, 'VmHWM'):.0f} MiB (to reach: 200)")
        bench.say(f"- client, at most: {client:.0f} MiB (to reach: 150)")
    finally:
        peer.stop()


PARTS = {
    "small": small,
    "unchanged": unchanged,
    "large": large,
    "changed": changed,
    "resumed": resumed,
    "memory": memory,
    "load": load,
    "chat-send": lambda bench: chat.Works(bench, bench.chat_load, bench.program).send(),
    "chat-fanout": lambda bench: chat.Works(bench, bench.chat_load, bench.program).fanout(),
    "chat-hold": lambda bench: chat.Works(bench, bench.chat_load, bench.program).hold(),
    "chat-reconnect": lambda bench: chat.Works(bench, bench.chat_load, bench.program).reconnect(),
    "chat-year": lambda bench: chat.Works(bench, bench.chat_load, bench.program).year(),
    "gateway-netdisk": lambda bench: gateways.Gateways(bench).netdisk(),
    "gateway-pychat": lambda bench: gateways.Gateways(bench).pychat(),
    "gateway-filestored": lambda bench: gateways.Gateways(bench).filestored(),
    "gateway-diary": lambda bench: gateways.Gateways(bench).diary(),
    "gateway-idle": lambda bench: gateways.Gateways(bench).idle(),
}
# Names for several parts.
GROUPS = {"gateways": [name for name in PARTS if name.startswith("gateway-")]}


def main() -> int:
    root = Path(__file__).resolve().parents[2]
    parser = argparse.ArgumentParser(prog="bench/run", description="Compares Wharf with other programs on this machine.")
    parser.add_argument("parts", nargs="*", help=f"which comparisons, all by default: {', '.join([*PARTS, *GROUPS])}")
    parser.add_argument("--runs", type=int, default=5, help="counted runs of each program, after one warm-up")
    parser.add_argument("--quick", action="store_true", help="conversations and gateways at a fraction of their size: does it all work?")
    parser.add_argument("--small", type=int, default=20_000, help="how many small files")
    parser.add_argument("--large", type=int, default=1024, help="size of the large file in MiB")
    parser.add_argument("--without", action="append", metavar="PROGRAM", help="leave a program out; may be repeated")
    parser.add_argument("--work", default=str(root / "bench" / "work"), help="where data and stores are kept")
    parser.add_argument("--wharf", default=str(root / "target" / "release" / "wharf"), help="the program to measure")
    parser.add_argument("--load", default=str(root / "target" / "release" / "wharf-load"), help="the load generator")
    options = parser.parse_args()
    wanted = {name for part in options.parts for name in GROUPS.get(part, [part])}
    if unknown := wanted - set(PARTS):
        parser.error(f"unknown: {', '.join(sorted(unknown))}")
    # Ten thousand connections are as many files, for servers and clients alike.
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    bench = Bench(options)
    p50, p99 = fsync_times(bench.work)
    bench.say(f"Machine: {os.cpu_count()} cores, {platform.system()} {platform.release()}; {versions()}")
    bench.say(f"\nfsync of 4 KiB in this run: p50 {p50:.2f} ms, p99 {p99:.2f} ms; {bench.runs} counted runs each, medians")
    for name, part in PARTS.items():
        if not wanted or name in wanted:
            part(bench)
    (bench.work / "report.md").write_text("\n".join(bench.lines) + "\n")
    bench.say(f"\nReport: {bench.work / 'report.md'}; delete {bench.work.parent} when you are done")
    return 0


def versions() -> str:
    """First lines of what the peers say of themselves."""
    found = []
    for command in (["rsync", "--version"], ["nginx", "-v"], ["rclone", "--version"], ["curl", "--version"]):
        if shutil.which(command[0]):
            answer = subprocess.run(command, capture_output=True, text=True)
            found.append((answer.stdout or answer.stderr).splitlines()[0].strip()[:50])
    return "; ".join(found)
