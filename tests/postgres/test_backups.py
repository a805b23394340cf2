"""Backups of a database: made and restored by the commands of docs/replicas.md, as they stand there."""

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from ivr.call_record import CallRecord
from ivr.store.media_files import new_name
from ivr.store.postgres.postgres_media import PostgresMedia
from tests.postgres.cluster import FORGETFUL, Cluster, Database, cluster_folder, installed
from tests.store.postgres_world import PostgresWorld
from tests.store.store_examples import after, key, line, record, recorded, request

pytestmark = pytest.mark.skipif(installed() is None, reason="PostgreSQL is not installed (Debian: postgresql)")

PAGE = (Path(__file__).parents[2] / "docs" / "replicas.md").read_text("utf-8")
SMALL, LARGE = bytes(range(256)) * 32, os.urandom(700_000)


class Site:
    """The folders of the page, and who runs its commands against a cluster."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = 0
        for name in ("backup", "archive", "restored"):
            (folder / name).mkdir()
            shutil.chown(folder / name, "postgres" if os.geteuid() == 0 else os.geteuid())

    def local(self, text: str) -> str:
        """Return a text of the page with the folders of this site."""
        found = text.replace("/var/lib/postgresql/15/main", str(self.folder / "restored" / "data"))
        return found.replace("/backup", f"{self.folder}/backup").replace("/archive", f"{self.folder}/archive")

    def run(self, beginning: str, *, ivr: str = "ivr") -> None:
        """Run the command of the page that begins so, as the user of PostgreSQL; `ivr` is the name of the database."""
        (command,) = {one for one in _commands() if f"{one} ".startswith(f"sudo -u postgres {beginning} ")}
        words = shlex.split(self.local(command.removeprefix("sudo -u postgres ")))
        words = [ivr if word == "ivr" else word for word in words]
        programs = installed()
        assert programs
        user = ["--reuid=postgres", "--regid=postgres", "--clear-groups"] if os.geteuid() == 0 else []
        environment: Mapping[str, str] = {
            "PATH": f"{programs}:{os.environ['PATH']}", "PGHOST": "127.0.0.1", "PGPORT": str(self.port),
            "PGUSER": "ivr", "PGDATABASE": "postgres",
        }  # fmt: skip
        done = subprocess.run(
            ["setpriv", "--pdeathsig=TERM", *user, *words],
            cwd=self.folder, env=environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr


def _commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    return [line_.partition("      #")[0].strip() for block in blocks for line_ in block.splitlines()]


def _setting(name: str) -> str:
    (value,) = re.findall(rf"^{name} = '(.*)'$", PAGE, re.MULTILINE)
    return value


@pytest.fixture
def site() -> Iterator[Site]:
    with cluster_folder() as folder:
        yield Site(folder)


async def filled(world: PostgresWorld, name: str, folder: Path) -> CallRecord:
    """Hold a call with a small and a large recording, that waits for a service."""
    media = PostgresMedia(world.pool, folder)
    large = media.new("audio/wav")
    large.add(LARGE)
    await large.flush()
    assert await large.keep() is None
    first = after(record(name), line(0), jobs=(request("0.1"),))
    await world.store.commit(first)
    small = after(first.record, recorded(new_name("audio/x-ms-wma")), audio=SMALL)
    await world.store.commit(small)
    last = after(small.record, recorded(large.media))
    await world.store.commit(last)
    return last.record


async def same(database: Database, folder: Path, *held: CallRecord) -> None:
    """Open a restored database as a server does, and find everything."""
    world = PostgresWorld(database, server="restored")
    await world.begin()
    try:
        media = PostgresMedia(world.pool, folder)
        for one in held:
            assert await world.store.load(one.key) == one
            trace = await world.archive.trace(one.id)
            assert len(trace) == one.steps
            sounds = []
            for step in trace[1:]:
                async with media.open(step.event.media) as file:
                    sounds.append(file.read())
            assert sounds == [SMALL, LARGE]
        assert (await world.store.backlog()).orders == len(held)
        assert await world.store.load(key("never")) is None
    finally:
        await world.end()


async def test_a_dump_is_restored_with_every_call_and_recording(site: Site, tmp_path: Path, postgres: Database) -> None:
    parts = urlsplit(postgres.url)
    site.port = parts.port
    world = PostgresWorld(postgres)
    await world.begin()
    held = [await filled(world, name, tmp_path) for name in ("a", "b")]
    site.run("pg_dump", ivr=parts.path.strip("/"))  # while the server runs
    await world.store.commit(after(held[0], line(9)))
    await world.end()
    site.run("createdb --owner=ivr --encoding=UTF8 --template=template0 ivr_restored")
    try:
        site.run("pg_restore")
        restored = Database(urlunsplit(parts._replace(path="/ivr_restored")))
        await same(restored, tmp_path, *held)
        restored.close()
    finally:
        postgres.run("DROP DATABASE ivr_restored WITH (FORCE)")


async def test_the_log_leads_from_a_copy_to_the_last_commit(site: Site, tmp_path: Path) -> None:
    archive = site.local(_setting("archive_command"))
    cluster = Cluster(site.folder, **FORGETFUL, archive_mode="on", archive_command=archive)
    cluster.make()
    cluster.start()
    site.port = cluster.port
    try:
        database = Database(cluster.url())
        world = PostgresWorld(database)
        await world.begin()
        before = await filled(world, "a", tmp_path)
        site.run("pg_basebackup --pgdata=/backup/base")
        since = await filled(world, "b", tmp_path)
        await world.end()
        database.close()
    finally:
        cluster.stop()  # in order, so it archives the rest of its log first
    for command in ("cp -r /backup/base", "sh -c", "touch"):
        site.run(command)
    other = Cluster(site.folder / "restored", **FORGETFUL)
    other.start()
    try:
        restored = Database(other.url())
        while restored.ask("SELECT pg_is_in_recovery()") == [(True,)]:
            pass
        await same(restored, tmp_path, before, since)
        restored.close()
    finally:
        other.stop()
