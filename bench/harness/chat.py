"""The chat servers that are compared with Wharf, and the comparisons. bench/load/src/bin/chat is the client of all."""

import json
import os
import subprocess
import time
from pathlib import Path

from .measure import fsync_times, resident_mib, session_cpu
from .peers import PASSWORD, USERNAME, Peer, Wharf, free_port, wait_for_port


# Accounts that many connections are shared out to: each is logged in, which takes the hash of a password.
PEOPLE_OF_MANY_CONNECTIONS = 100


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
            raise SystemExit(f"{' '.join(command)}: {answer.stderr[:2000]}")
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


def median(samples: list[dict]) -> dict:
    """The sample with the median rate."""
    rate = next(key for key in samples[0] if key.endswith("_per_second"))
    return sorted(samples, key=lambda sample: sample[rate])[len(samples) // 2]


class Works:
    """What is compared. `bench` is the harness's run; a quick one tries whether everything works, its figures mean little."""

    # Enough for a median that is not the best or the worst one; each part takes some minutes.
    RUNS_MAX = 3

    def __init__(self, bench, load: Path, program: Path):
        self.bench, self.load, self.program = bench, load, program
        self.runs = min(bench.runs, self.RUNS_MAX)
        self.seconds = "1" if bench.is_quick else "4"

    def sized(self, count: int) -> int:
        """A count of connections, rooms or entries, a twentieth of it in a quick run."""
        return count // 20 if self.bench.is_quick else count

    def peers(self, *kinds: type[ChatPeer]) -> list[ChatPeer]:
        self.bench.check_installed(*kinds)
        kept = [kind for kind in kinds if kind.name not in self.bench.without]
        return [WharfChat(self.bench.work, self.program), *(kind(self.bench.work) for kind in kept)]

    def medians(self, peers: list[ChatPeer], people: int, *works: list[str]) -> list[list[tuple[ChatPeer, dict]]]:
        """Every system in turn on one server, each work with one warm-up and then the counted runs. For each work, the
        figures of the run with the median rate."""
        found: list[dict[str, list[dict]]] = [{peer.name: [] for peer in peers} for _ in works]
        for peer in peers:
            peer.start(f"{works[0][0]}-{time.monotonic_ns()}")
            try:
                peer.prepare(self.load, people)
                for work, samples in zip(works, found, strict=True):
                    for number in range(self.runs + 1):
                        before = session_cpu(peer.session)
                        sample = peer.measure(self.load, *work, "--seconds", self.seconds)
                        sample["server_cpu_seconds"] = session_cpu(peer.session) - before
                        if number > 0:
                            samples[peer.name].append(sample)
            finally:
                peer.stop()
        return [[(peer, median(samples[peer.name])) for peer in peers] for samples in found]

    def send(self) -> None:
        for title, options in (
            ("1,000 messages a second from 64 senders", ["--rate", "1000"]),
            ("64 senders, each in a room of its own, one message on the way", []),
            ("64 senders, each in a room of its own, 16 messages on the way", ["--window", "16"]),
            ("64 senders in one room, one message on the way", ["--together"]),
        ):
            p50, p99 = fsync_times(self.bench.work)
            (rows,) = self.medians(self.peers(Ngircd, Jetstream, Prosody), 64, ["send", *options])
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
        members = self.sized(1_000)
        titles = {
            "50 messages a second": ["--rate", "50"],
            "one message on the way": ["--window", "1"],
            "8 messages on the way": ["--window", "8"],
        }
        works = [["fanout", "--members", str(members), *options] for options in titles.values()]
        found = self.medians(self.peers(Ngircd, Nats, Prosody), members + 1, *works)
        for title, rows in zip(titles, found, strict=True):
            self.bench.say(f"\n### Fan-out: one room of {members:,} connected members, {title}\n")
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
        seconds = 2 if self.bench.is_quick else 30
        self.bench.say(f"\n### {self.sized(10_000):,} connections that do nothing\n")
        self.bench.say(f"| system | connected | resident before MiB | after MiB | KiB each | CPU s in {seconds} s | lost |")
        self.bench.say("| --- | --- | --- | --- | --- | --- | --- |")
        for peer in self.peers(Ngircd, Nats, Prosody):
            # Prosody took minutes for more, as every join of a room is told to the room.
            count = self.sized(2_000 if isinstance(peer, Prosody) else 10_000)
            peer.start(f"hold-{time.monotonic_ns()}")
            try:
                peer.prepare(self.load, PEOPLE_OF_MANY_CONNECTIONS)
                before = peer.resident()
                command = [str(self.load), *peer.arguments(), "hold", "--connections", str(count)]
                holder = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
                answer = holder.stdout.readline()
                if not answer:
                    self.bench.say(f"| {peer.name} | it did not take {count:,} | | | | | |")
                    continue
                connected = json.loads(answer)["connected"]
                time.sleep(5)
                after, cpu = peer.resident(), session_cpu(peer.session)
                time.sleep(seconds)
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
                peer.prepare(self.load, PEOPLE_OF_MANY_CONNECTIONS)
                rows.append((peer, peer.measure(self.load, "reconnect", "--connections", str(self.sized(10_000)))))
            finally:
                peer.stop()
        self.bench.say(f"\n### {self.sized(10_000):,} connections lost and made again at once\n")
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
            rooms, entries = self.sized(500), self.sized(1_000_000)
            self.bench.say(f"\n### After a year: {rooms} rooms, {entries:,} entries\n")
            for work in (["catchup", "--rooms", str(rooms), "--entries", str(entries)], ["search", "--rooms", str(rooms)]):
                for key, value in peer.measure(self.load, *work).items():
                    self.bench.say(f"- {key}: {value}")
        finally:
            peer.stop()
