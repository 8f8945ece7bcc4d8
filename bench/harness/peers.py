"""The programs that are compared. Each starts its server, moves a tree or a file up and down, and stops.

Nothing is deleted between runs: on a disk with discard the next run would pay for it. Every run gets a new target folder.
"""

import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

from .measure import Sample, resident_mib, timed


def free_port() -> int:
    """A TCP port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_port(port: int, process: subprocess.Popen) -> None:
    """Waits until somebody listens, at most ten seconds."""
    for _ in range(1000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        if process.poll() is not None:
            break
        time.sleep(0.01)
    raise SystemExit(f"a server did not start: {process.args}")


class Peer:
    """A program with a server. `work` is a folder of its own."""

    name = ""
    durable = False
    needs: tuple[str, ...] = ()

    def __init__(self, work: Path):
        self.work = work / self.name.replace(" ", "-")
        self.work.mkdir(parents=True, exist_ok=True)
        self.process: subprocess.Popen | None = None
        self.port = 0

    def start(self, run: str) -> None:
        """Starts the server on an empty store for this run."""

    def stop(self) -> None:
        """Ends the server."""
        if self.process:
            os.killpg(self.process.pid, signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        self.process = None

    def spawn(self, command: list[str], **options) -> None:
        """Starts a server in a session of its own, so that all its processes can be counted and ended."""
        log = open(self.work / "server.log", "ab")
        self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True, **options)

    @property
    def session(self) -> int | None:
        return self.process.pid if self.process else None

    def run(self, command: list[str], **options) -> tuple[Sample, str]:
        """Times a client of this peer."""
        return timed(command, self.session, **options)

    def up(self, source: Path) -> Sample:
        raise NotImplementedError

    def down(self, source: Path, target: Path) -> Sample:
        raise NotImplementedError

    def server_memory(self) -> tuple[float, float]:
        """Resident MiB now and at most, of the server's first process."""
        return resident_mib(self.process.pid), resident_mib(self.process.pid, "VmHWM")


class Copy(Peer):
    """The limit: cp, and one sync of the file system."""

    name = "cp + sync"
    durable = True
    needs = ("cp", "sync")

    def start(self, run: str) -> None:
        self.store = self.work / f"store-{run}"
        self.store.mkdir(parents=True)

    def up(self, source: Path) -> Sample:
        script = 'cp -r "$1" "$2" && sync -f "$2"'
        return self.run(["sh", "-c", script, "sh", str(source), str(self.store)])[0]

    def down(self, source: Path, target: Path) -> Sample:
        script = 'cp -r "$1" "$2" && sync -f "$2"'
        return self.run(["sh", "-c", script, "sh", str(self.store / source.name), str(target)])[0]


class Rsync(Peer):
    """The rsync daemon."""

    name = "rsync"
    needs = ("rsync",)
    options: tuple[str, ...] = ()

    def start(self, run: str) -> None:
        self.store = self.work / f"store-{run}"
        self.store.mkdir(parents=True)
        self.port = free_port()
        config = self.work / f"rsyncd-{run}.conf"
        config.write_text(
            "use chroot = no\nreverse lookup = no\n"
            f"[store]\npath = {self.store}\nread only = false\nuid = {os.getuid()}\ngid = {os.getgid()}\n"
        )
        self.spawn(["rsync", "--daemon", "--no-detach", f"--port={self.port}", "--address=127.0.0.1", f"--config={config}"])
        wait_for_port(self.port, self.process)

    def address(self, path: str = "") -> str:
        return f"rsync://127.0.0.1:{self.port}/store/{path}"

    def up(self, source: Path) -> Sample:
        sample, output = self.run(["rsync", "-a", "--stats", *self.options, str(source), self.address()])
        sample.facts["sent_bytes"] = sent_by_rsync(output)
        return sample

    def down(self, source: Path, target: Path) -> Sample:
        return self.run(["rsync", "-a", *self.options, self.address(source.name), str(target) + "/"])[0]


class RsyncDurable(Rsync):
    """rsync that fsyncs each file before it renames it."""

    name = "rsync --fsync"
    durable = True
    options = ("--fsync",)


class Nginx(Peer):
    """nginx with DAV, and curl with 16 transfers at once."""

    name = "nginx DAV"
    needs = ("nginx", "curl")

    def start(self, run: str) -> None:
        self.store = self.work / f"store-{run}"
        self.store.mkdir(parents=True)
        self.port = free_port()
        place = self.work / f"nginx-{run}"
        place.mkdir()
        config = place / "nginx.conf"
        config.write_text(f"""
            worker_processes 2; pid {place}/pid; error_log {place}/error.log; daemon off; user root;
            events {{ worker_connections 1024; }}
            http {{
              access_log off; sendfile on; client_body_temp_path {self.store}/.temporary;
              proxy_temp_path {place}/p; fastcgi_temp_path {place}/f; uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
              server {{
                listen 127.0.0.1:{self.port}; root {self.store}; client_max_body_size 0;
                location / {{ dav_methods PUT DELETE MKCOL; create_full_put_path on; }}
              }}
            }}
        """)
        self.spawn(["nginx", "-c", str(config), "-p", str(place)])
        wait_for_port(self.port, self.process)

    def lists(self, source: Path) -> list[str]:
        if source.is_file():
            return [source.name]
        names = []
        for place, _, files in os.walk(source):
            names.extend(os.path.relpath(os.path.join(place, file), source.parent) for file in files)
        return names

    def curl(self, lines: list[str]) -> Sample:
        config = self.work / f"curl-{secrets.token_hex(4)}"
        config.write_text("\n".join(lines))
        return self.run(["curl", "-sS", "--fail", "-Z", "--parallel-max", "16", "-K", str(config)])[0]

    def up(self, source: Path) -> Sample:
        base = f"http://127.0.0.1:{self.port}"
        lines = []
        for name in self.lists(source):
            lines += [f'url = "{base}/{name}"', f'upload-file = "{source.parent / name}"']
        return self.curl(lines)

    def down(self, source: Path, target: Path) -> Sample:
        base = f"http://127.0.0.1:{self.port}"
        lines = []
        for name in self.lists(source):
            lines += [f'url = "{base}/{name}"', f'output = "{target / name}"', "create-dirs"]
        return self.curl(lines)


class Rclone(Peer):
    """rclone, to an rclone WebDAV server."""

    name = "rclone webdav"
    needs = ("rclone",)

    def start(self, run: str) -> None:
        self.store = self.work / f"store-{run}"
        self.store.mkdir(parents=True)
        self.port = free_port()
        self.spawn(["rclone", "serve", "webdav", "--addr", f"127.0.0.1:{self.port}", str(self.store)])
        wait_for_port(self.port, self.process)

    def copy(self, source: str, target: str) -> Sample:
        remote = f":webdav,url='http://127.0.0.1:{self.port}',vendor=other:"
        command = ["rclone", "copy", "--config", "/dev/null", "--transfers", "16", "--checkers", "16"]
        return self.run([*command, source.replace("REMOTE:", remote), target.replace("REMOTE:", remote)])[0]

    def up(self, source: Path) -> Sample:
        return self.copy(str(source), f"REMOTE:{source.name if source.is_dir() else ''}")

    def down(self, source: Path, target: Path) -> Sample:
        return self.copy(f"REMOTE:{source.name}", str(target / source.name) if source.is_dir() else str(target))


USERNAME = "bench"
PASSWORD = "correct horse battery"


class Wharf(Peer):
    """Wharf: durable, and verified at both ends."""

    name = "Wharf"
    durable = True

    def __init__(self, work: Path, program: Path):
        super().__init__(work)
        self.program = str(program)

    def start(self, run: str) -> None:
        place = self.work / f"run-{run}"
        self.data = place / "data"
        self.env = os.environ | {
            "XDG_CONFIG_HOME": str(place / "config"),
            "XDG_STATE_HOME": str(place / "state"),
            "XDG_DATA_HOME": str(place / "share"),
            "XDG_CACHE_HOME": str(place / "cache"),
        }
        self.serve()
        self.sign_up()

    def serve(self) -> None:
        """Starts the server on the data of this run and reads where it listens."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with open(self.data.parent / "serve.log", "wb") as log:
            self.process = subprocess.Popen(
                [self.program, "--json", "serve", "--data", str(self.data), "--listen", "127.0.0.1:0"],
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
                env=self.env,
            )
        self.listening = json.loads(self.process.stdout.readline())
        self.url = self.listening["url"]

    def sign_up(self) -> None:
        """Makes the operator's account with the code that the server said, without a quota in the way."""
        code = self.listening["setup_code"]
        environment = self.env | {"WHARF_PASSWORD": PASSWORD}
        signup = [self.program, "signup", self.url, "--code", code, "--username", USERNAME]
        subprocess.run(signup, env=environment, check=True, capture_output=True)
        quota = [self.program, "admin", "user", "quota", USERNAME, "100GiB"]
        subprocess.run(quota, env=self.env, check=True, capture_output=True)

    def wharf(self, *arguments: str) -> tuple[Sample, dict]:
        """Times a command of the client; its `--json` answer is the second value."""
        sample, output = self.run([self.program, "--json", *arguments], env=self.env)
        lines = [line for line in output.splitlines() if line.startswith("{")]
        return sample, json.loads(lines[-1]) if lines else {}

    def up(self, source: Path) -> Sample:
        sample, answer = self.wharf("put", str(source), "/")
        sample.facts["sent_bytes"] = answer["report"]["bytes_wire"]
        return sample

    def down(self, source: Path, target: Path) -> Sample:
        return self.wharf("get", f"/{source.name}", str(target) + "/")[0]


def sent_by_rsync(output: str) -> int | None:
    """Reads `Total bytes sent` from rsync's statistics."""
    for line in output.splitlines():
        if line.startswith("Total bytes sent:"):
            return int(line.split(":")[1].strip().replace(",", ""))
    return None


def missing(peer: type[Peer]) -> list[str]:
    """Programs that a peer needs and this machine lacks."""
    return [program for program in peer.needs if shutil.which(program) is None]
