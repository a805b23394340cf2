"""A PostgreSQL of our own to measure with, as its package makes one: every commit is on the disk before its answer."""

import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from bench.subject import Subject, free_port

SETTINGS = {"shared_buffers": "256MB", "max_connections": "200", "max_wal_size": "2GB", "listen_addresses": "127.0.0.1"}
"All else is as PostgreSQL comes; fsync and synchronous_commit are on."
STARTING = 30.0
"Seconds."


class Cluster(Struct, frozen=True):
    """A running PostgreSQL."""

    programs: Path
    subject: Subject

    @property
    def version(self) -> str:
        """Its version, such as 15.14."""
        return self.ask("postgres", "SHOW server_version").split()[0]

    def url(self, database: str) -> str:
        """Return the address of a database of it."""
        return f"postgresql://ivr@127.0.0.1:{self.subject.port}/{database}"

    def create(self, database: str) -> str:
        """Make a database, and return its address."""
        self.ask("postgres", f"CREATE DATABASE {database}")
        return self.url(database)

    def ask(self, database: str, sql: str) -> str:
        """Carry out a statement, and return the one value that it gives."""
        command = [str(self.programs / "psql"), "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", sql]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        return done.stdout.strip()


def postgres_programs() -> Path:
    """Return the folder with the newest PostgreSQL's programs; raise LookupError with what is missing."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    newest = max(found, key=lambda folder: int(folder.parent.name), default=None)
    if newest is None and on_path is None:
        raise LookupError("Without PostgreSQL: it is not installed (apt-get install postgresql).")
    return newest or Path(str(on_path)).parent


@contextmanager
def postgres_cluster(folder: Path, programs: Path) -> Iterator[Cluster]:
    """Make one in a new folder, and run it until the block is left; it may use every core."""
    folder.mkdir(parents=True)
    if os.geteuid() == 0:  # PostgreSQL refuses to run as root
        os.chown(folder, pwd.getpwnam("postgres").pw_uid, pwd.getpwnam("postgres").pw_gid)
    data, port = folder / "data", free_port()
    make = ["--pgdata", str(data), "--username=ivr", "--auth=trust", "--no-locale", "--encoding=UTF8"]
    subprocess.run(_as_its_user(programs / "initdb", *make), cwd=folder, capture_output=True, check=True)
    options = [part for name, value in SETTINGS.items() for part in ("-c", f"{name}={value}")]
    options += ["-c", f"unix_socket_directories={folder}", "-p", str(port)]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            _as_its_user(programs / "postgres", "-D", str(data), *options), cwd=folder, stdout=log, stderr=log
        )
    try:
        _wait_for(programs, port, folder / "log")
        yield Cluster(programs, Subject(process.pid, port))
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(STARTING)


def _as_its_user(program: Path, *arguments: str) -> Sequence[str]:
    """Return a command that ends when we do, as somebody who may run a database."""
    user = ("--reuid=postgres", "--regid=postgres", "--clear-groups") if os.geteuid() == 0 else ()
    return ("setpriv", "--pdeathsig=INT", *user, str(program), *arguments)


def _wait_for(programs: Path, port: int, log: Path) -> None:
    ready = [str(programs / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(port)]
    ends = time.monotonic() + STARTING
    while subprocess.run(ready, check=False).returncode != 0:
        if time.monotonic() > ends:
            raise SystemExit(f"PostgreSQL did not come up. It said:\n{log.read_text()[-2000:]}")
        time.sleep(0.1)
