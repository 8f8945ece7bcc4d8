"""The chat servers that are compared with Wharf, and the comparisons. bench/load/src/bin/chat is the client of all."""

import json
import os
import subprocess
import time
from pathlib import Path

from .measure import fsync_times, resident_mib, session_cpu
from .peers import PASSWORD, USERNAME, Peer, Wharf, free_port, wait_for_port


class ChatPeer(Peer):
    """A chat server. `system` is its name for the load generator; `says` is what its acknowledgement means."""

    system = ""
    says = ""

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pids(self) -> list[int]:
        return [self.process.pid]

    def arguments(self) -> list[str]:
        return ["--system", self.system, "--address", self.address]

    def prepare(self, load: Path, people: int) -> None:
        """Makes the accounts that the works need, where the system wants any."""

    def measure(self, load: Path, *work: str) -> dict:
        """Runs one work of the load generator."""
        command = [str(load), *self.arguments(), *work]
        answer = subprocess.run(command, capture_output=True, text=True)
        if answer.returncode != 0:
            raise SystemExit(f"{' '.join(command)}: {answer.stderr[-2000:]}")
        return json.loads(answer.stdout.splitlines()[-1])

    def resident(self) -> float:
        return sum(resident_mib(pid) for pid in self.pids)


class Ngircd(ChatPeer):
    """ngIRCd: nothing is stored."""

    name = "ngIRCd"
    system = "irc"
    says = "handled (a PONG after it); nothing is stored"
    needs = ("ngircd",)

    def start(self, run: str) -> None:
        self.port = free_port()
        config = self.work / f"ngircd-{run}.conf"
        config.write_text(
            f"[Global]\nName = irc.example.net\nInfo = bench\nPorts = {self.port}\nListen = 127.0.0.1\nMotdPhrase = hello\n"
            "[Limits]\nMaxConnections = 0\nMaxConnectionsIP = 0\nMaxJoins = 0\nMaxNickLength = 30\nMaxPenaltyTime = 0\n"
            "PingTimeout = 3600\n"
            "[Options]\nDNS = no\nIdent = no\nPAM = no\nSyslogFacility = local1\n"
        )
        self.spawn(["ngircd", "--nodaemon", "--config", str(config)])
        wait_for_port(self.port, self.process)


class Nats(ChatPeer):
    """NATS: subjects without storage."""

    name = "NATS"
    system = "nats"
    says = "none; nothing is stored"
    needs = ("nats-server",)
    options: tuple[str, ...] = ()

    def start(self, run: str) -> None:
        self.port = free_port()
        store = ("--store_dir", str(self.work / f"store-{run}")) if self.options else ()
        self.spawn(["nats-server", "--addr", "127.0.0.1", "--port", str(self.port), *self.options, *store])
        wait_for_port(self.port, self.process)


class Jetstream(Nats):
    """NATS with a stream on a file."""

    name = "NATS JetStream"
    system = "jetstream"
    says = "written to a file that is synced every two minutes"
    options = ("--jetstream",)


class Prosody(ChatPeer):
    """Prosody: anonymous logins in a multi-user chat whose archive is on."""

    name = "Prosody"
    system = "xmpp"
    says = "taken (XEP-0198); the room's archive is written without a sync"
    needs = ("prosody",)

    def start(self, run: str) -> None:
        self.port = free_port()
        data = self.work / f"data-{run}"
        data.mkdir(parents=True)
        config = self.work / f"prosody-{run}.cfg.lua"
        config.write_text(
            f'pidfile = "{data}/prosody.pid"\ndata_path = "{data}"\nlog = {{ error = "{data}/error.log" }}\n'
            'modules_enabled = { "roster", "saslauth", "smacks" }\n'
            'modules_disabled = { "s2s", "offline", "c2s_limits" }\n'
            "run_as_root = true\nallow_unencrypted_plain_auth = true\nc2s_require_encryption = false\n"
            f'interfaces = {{ "127.0.0.1" }}\nc2s_ports = {{ {self.port} }}\ns2s_ports = {{}}\ncomponent_ports = {{}}\n'
            'limits = {}\nnetwork_settings = { read_timeout = 3600 }\n'
            'VirtualHost "localhost"\n  authentication = "anonymous"\n'
            'Component "rooms.localhost" "muc"\n  modules_enabled = { "muc_mam" }\n  muc_log_by_default = true\n'
            "  restrict_room_creation = false\n  muc_room_locking = false\n"
            '  muc_room_default_presence_broadcast = { visitor = false; participant = false; moderator = false }\n'
        )
        self.spawn(["prosody", "--config", str(config), "-F"])
        wait_for_port(self.port, self.process)


class WharfChat(ChatPeer, Wharf):
    """Wharf on SQLite."""

    name = "Wharf"
    system = "wharf"
    durable = True
    says = "on disk (fsync of the database)"
    config = (
        "[server]\nconnections = 30000\n[server.live]\nconnections = 30000\nper_account = 1000\nper_address = 30000\n"
        "[server.messages]\naccount_burst = 4000000000\naddress_burst = 4000000000\n"
    )

    def __init__(self, work: Path, program: Path):
        Wharf.__init__(self, work, program)

    def start(self, run: str) -> None:
        self.people = self.work / f"people-{run}.json"
        config = self.work / "wharf.toml"
        config.write_text(self.config)
        os.environ["WHARF_CONFIG"] = str(config)
        Wharf.start(self, run)
        self.port = int(self.url.rsplit(":", 1)[1])

    def arguments(self) -> list[str]:
        return [*super().arguments(), "--people", str(self.people)]

    def prepare(self, load: Path, people: int) -> None:
        operator = ["--username", USERNAME, "--password", PASSWORD]
        self.measure(load, "prepare", *operator, "--accounts", str(people))


class Works:
    """What is compared. `bench` is the harness's run."""

    def __init__(self, bench, load: Path, program: Path):
        self.bench, self.load, self.program = bench, load, program

    def peers(self, *kinds: type[ChatPeer]) -> list[ChatPeer]:
        self.bench.check_installed(*kinds)
        kept = [kind for kind in kinds if kind.name not in self.bench.without]
        return [WharfChat(self.bench.work, self.program), *(kind(self.bench.work) for kind in kept)]

    def medians(self, peers: list[ChatPeer], people: int, *work: str) -> list[tuple[ChatPeer, dict]]:
        """Every system in turn, one warm-up and then the counted runs; the figures of the run with the median rate."""
        found: dict[str, list[dict]] = {peer.name: [] for peer in peers}
        for peer in peers:
            peer.start("-".join(work[:1]) + f"-{time.monotonic_ns()}")
            try:
                peer.prepare(self.load, people)
                for number in range(self.bench.runs + 1):
                    before = session_cpu(peer.session)
                    sample = peer.measure(self.load, *work)
                    sample["server_cpu_seconds"] = session_cpu(peer.session) - before
                    if number > 0:
                        found[peer.name].append(sample)
            finally:
                peer.stop()
        rate = next(key for key in next(iter(found.values()))[0] if key.endswith("_per_second"))
        for samples in found.values():
            samples.sort(key=lambda sample: sample[rate])
        return [(peer, found[peer.name][len(found[peer.name]) // 2]) for peer in peers]

    def send(self) -> None:
        for title, options in (
            ("64 senders, each in a room of its own, one message on the way", []),
            ("64 senders, each in a room of its own, 16 messages on the way", ["--window", "16"]),
            ("64 senders in one room, one message on the way", ["--together"]),
            ("1,000 messages a second from 64 senders", ["--rate", "1000"]),
        ):
            p50, p99 = fsync_times(self.bench.work)
            rows = self.medians(self.peers(Ngircd, Jetstream, Prosody), 64, "send", *options, "--seconds", "5")
            self.bench.say(f"\n### {title}\n\nfsync of 4 KiB just before: p50 {p50:.2f} ms, p99 {p99:.2f} ms\n")
            self.bench.say("| system | acknowledged means | a second | p50 ms | p99 ms | most ms | server CPU s |")
            self.bench.say("| --- | --- | --- | --- | --- | --- | --- |")
            for peer, sample in rows:
                times = sample["send_to_acknowledgement"]
                self.bench.say(
                    f"| {peer.name} | {peer.says} | {sample['acknowledged_per_second']:,.0f} | {times['p50_ms']:.2f} | "
                    f"{times['p99_ms']:.2f} | {times['max_ms']:.2f} | {sample['server_cpu_seconds']:.2f} |"
                )

    def fanout(self) -> None:
        for title, options in (
            ("one room of 1,000 connected members, 8 messages on the way", ["--window", "8"]),
            ("one room of 1,000 connected members, one message on the way", ["--window", "1"]),
            ("one room of 1,000 connected members, 50 messages a second", ["--rate", "50"]),
        ):
            rows = self.medians(self.peers(Ngircd, Nats, Prosody), 1001, "fanout", *options, "--seconds", "5")
            self.bench.say(f"\n### Fan-out: {title}\n")
            self.bench.say("| system | deliveries a second | p50 ms | p99 ms | most ms | missing | server CPU s |")
            self.bench.say("| --- | --- | --- | --- | --- | --- | --- |")
            for peer, sample in rows:
                times = sample["send_to_delivery"]
                self.bench.say(
                    f"| {peer.name} | {sample['deliveries_per_second']:,.0f} | {times['p50_ms']:.2f} | "
                    f"{times['p99_ms']:.2f} | {times['max_ms']:.2f} | {sample['missing']} | "
                    f"{sample['server_cpu_seconds']:.2f} |"
                )

    def hold(self) -> None:
        """Resident memory and processor time of connections that do nothing."""
        self.bench.say("\n### 10,000 connections that do nothing\n")
        self.bench.say("| system | connected | resident before MiB | after MiB | KiB each | CPU s in 60 s | lost |")
        self.bench.say("| --- | --- | --- | --- | --- | --- | --- |")
        for peer in self.peers(Ngircd, Nats, Prosody):
            # Prosody took minutes for more, as every join of a room is told to the room.
            count = 2_000 if isinstance(peer, Prosody) else 10_000
            peer.start(f"hold-{time.monotonic_ns()}")
            try:
                peer.prepare(self.load, 1000)
                before = peer.resident()
                command = [str(self.load), *peer.arguments(), "hold", "--connections", str(count)]
                holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                connected = json.loads(holder.stdout.readline())["connected"]
                time.sleep(5)
                after, cpu = peer.resident(), session_cpu(peer.session)
                time.sleep(60)
                cpu = session_cpu(peer.session) - cpu
                holder.stdin.close()
                lost = json.loads(holder.stdout.readline())["lost"]
                holder.wait()
                each = (after - before) * 1024 / connected
                self.bench.say(
                    f"| {peer.name} | {connected:,} | {before:.0f} | {after:.0f} | {each:.1f} | {cpu:.2f} | {lost} |"
                )
            finally:
                peer.stop()

    def reconnect(self) -> None:
        rows = []
        for peer in self.peers(Ngircd, Nats):
            peer.start(f"reconnect-{time.monotonic_ns()}")
            try:
                peer.prepare(self.load, 1000)
                rows.append((peer, peer.measure(self.load, "reconnect", "--connections", "10000")))
            finally:
                peer.stop()
        self.bench.say("\n### 10,000 connections lost and made again at once\n")
        self.bench.say("| system | all live after s | one, p50 ms | p99 ms |")
        self.bench.say("| --- | --- | --- | --- |")
        for peer, sample in rows:
            times = sample["one_live_after"]
            self.bench.say(
                f"| {peer.name} | {sample['all_live_after_seconds']:.2f} | {times['p50_ms']:.0f} | {times['p99_ms']:.0f} |"
            )

    def year(self) -> None:
        """Wharf alone: a device that was away for a year, and search in what was written meanwhile."""
        peer = WharfChat(self.bench.work, self.program)
        peer.start(f"year-{time.monotonic_ns()}")
        try:
            peer.prepare(self.load, 2)
            self.bench.say("\n### After a year: 500 rooms, 1,000,000 entries\n")
            for work in ("catchup", "search"):
                for key, value in peer.measure(self.load, work).items():
                    self.bench.say(f"- {key}: {value}")
        finally:
            peer.stop()
