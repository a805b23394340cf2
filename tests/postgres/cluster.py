"""PostgreSQL as a program that tests own: made, started, killed and started again, and gone when they are.

The system's own clusters are left alone. Everything is in a folder below the temporary one that PostgreSQL's user may
enter; the ports are ours (tests/free_ports.py).
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import asyncpg

from tests.free_ports import free_port
from tests.sip_peers.programs import PATIENCE, Program

T = TypeVar("T")

MISSING = "PostgreSQL is not installed (Debian: postgresql)"
READY = "database system is ready to accept"
SECRET = "never-in-a-log"
"The password in all URLs. Nobody asks for it; a test can see that it is nowhere else."

FORGETFUL: Mapping[str, str] = {"fsync": "off", "full_page_writes": "off", "synchronous_commit": "off"}
"For tests that end no cluster before they end: what is written need not reach the disk."

_SMALL: Mapping[str, str] = {
    "shared_buffers": "32MB",
    "max_connections": "200",
    "max_prepared_transactions": "0",
    "listen_addresses": "127.0.0.1",
}

# Rows go, tables and their version stay; counters begin anew. Ten times as fast as TRUNCATE where little is in them.
_EMPTY = """
DO $$
DECLARE name text;
BEGIN
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    FOR name IN SELECT oid::regclass FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'ivr_schema'
    LOOP EXECUTE 'DELETE FROM ' || name; END LOOP;
    PERFORM setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace;
END $$
"""


def installed() -> Path | None:
    """Return the folder with the newest PostgreSQL's programs."""
    found = [path.parent for path in Path("/usr/lib/postgresql").glob("*/bin/initdb")]
    on_path = shutil.which("initdb")
    newest = max(found, key=lambda folder: int(folder.parent.name), default=None)
    return newest or (Path(on_path).parent if on_path else None)


def _as_its_user(*command: str) -> Sequence[str]:
    """Return a command that ends when we do, as somebody who may run a database: root may not."""
    user = ("--reuid=postgres", "--regid=postgres", "--clear-groups") if os.geteuid() == 0 else ()
    return ("setpriv", "--pdeathsig=QUIT", *user, *command)


class Cluster:
    """One server of databases, in as many lives as a test wants."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """`folder` has the data, and is made by `made` or `copied`; `settings` are those of postgresql.conf."""
        self.port = free_port()
        self._data = folder / "data"
        self._settings = {**_SMALL, "unix_socket_directories": str(folder), **settings}
        self._process: Program | None = None

    def url(self, database: str = "postgres") -> str:
        """Return what a database of it is called."""
        return f"postgresql://ivr:{SECRET}@127.0.0.1:{self.port}/{database}"

    def make(self) -> None:
        """Make its data; anybody on this machine may connect, and replicate."""
        self._run(
            *("initdb", "--pgdata", str(self._data), "--username=ivr", "--auth=trust", "--no-sync", "--no-locale"),
            *("--encoding=UTF8", "--no-instructions"),
        )

    def copy(self, other: Cluster, *, name: str = "standby") -> None:
        """Make its data those of a running one, which it will follow under a name (a streaming standby)."""
        there = f"{other.url()}?application_name={name}"
        self._run(
            *("pg_basebackup", "--pgdata", str(self._data), "--dbname", there, "--checkpoint=fast"),
            *("--write-recovery-conf", "--no-sync"),
        )

    def start(self) -> None:
        """Start it, and return when it can be asked."""
        options = [part for name, value in self._settings.items() for part in ("-c", f"{name}={value}")]
        folder = installed()
        assert folder, MISSING
        self._process = Program(
            *_as_its_user(str(folder / "postgres"), "-D", str(self._data), "-p", str(self.port), *options),
            folder=self._data.parent,
        )
        self._process.said(READY)

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """End it: SIGINT breaks connections off, SIGQUIT leaves everything as it lies; SIGKILL would leave children."""
        if self._process:
            self._process.stop(number)
            self._process = None

    def kill(self) -> None:
        """End it at once: whatever is under way is broken off, and nothing is written any more."""
        self.stop(signal.SIGQUIT)

    def promote(self) -> None:
        """Make a standby the one that is written to, and return when it is."""
        self._run("pg_ctl", "promote", "--pgdata", str(self._data), "--wait", f"--timeout={PATIENCE:.0f}")

    @property
    def output(self) -> str:
        """What it has said in this life."""
        return self._process.output if self._process else ""

    def _run(self, name: str, *options: str) -> None:
        folder = installed()
        assert folder, MISSING
        command = _as_its_user(str(folder / name), *options)
        done = subprocess.run(command, cwd=self._data.parent, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr


@contextlib.contextmanager
def cluster_folder() -> Iterator[Path]:
    """Yield a folder that PostgreSQL's user owns: those of pytest are closed to him."""
    folder = Path(tempfile.mkdtemp(prefix="ivr-postgres-"))
    try:
        if os.geteuid() == 0:
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def running_cluster(**settings: str) -> Iterator[Cluster]:
    """Make a cluster and run it for a while; below a second on a machine that has nothing else to do."""
    with cluster_folder() as folder:
        cluster = Cluster(folder, **settings)
        cluster.make()
        cluster.start()
        try:
            yield cluster
        finally:
            cluster.stop()


class Database:
    """A database of a test. It blocks whoever asks: what it is asked takes a millisecond."""

    def __init__(self, url: str) -> None:
        """Connect to it from a thread of its own, so that tests with and without a loop can ask."""
        self.url = url
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._connection: asyncpg.Connection = self._do(lambda: asyncpg.connect(url))

    def ask(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """Run a statement, and return its rows."""
        return [tuple(row) for row in self._do(lambda: self._connection.fetch(sql, *values))]

    def run(self, script: str) -> None:
        """Run statements that have no answer and no values."""
        self._do(lambda: self._connection.execute(script))

    def empty(self) -> None:
        """Break off all other connections and remove all rows; tables, if there are any, stay."""
        self.run(_EMPTY)

    def raze(self) -> None:
        """Break off all other connections and remove all tables."""
        self.run(_EMPTY)
        self.run("DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    def close(self) -> None:
        """Disconnect."""
        self._do(self._connection.close)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def _do(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        async def done() -> T:
            return await work()

        return asyncio.run_coroutine_threadsafe(done(), self._loop).result(PATIENCE)
