"""The chat servers that are compared with Wharf, and the comparisons. bench/load/src/bin/chat is the client of all."""

import json
import os
import secrets
import subprocess
import time
from pathlib import Path

from .measure import resident_mib, session_cpu
from .peers import Peer, free_port, wait_for_port

PASSWORD = "correct horse"


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
        """Makes the accounts that a run needs, where the system wants any."""

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
