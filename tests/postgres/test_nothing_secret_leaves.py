"""What a caller says in confidence, and what a server is trusted with, reaches neither the database nor its log."""

import json
import subprocess
from pathlib import Path

import asyncpg
import pytest

from ivr.phone.callers.turn_based import Press, Speak
from tests.phone.calling import Signer, phone_to
from tests.postgres.cluster import MISSING, SECRET, installed, running_cluster
from tests.postgres.serving import SEAL_KEY, settings
from tests.server.process import served

PIN, SAID = "081546293755", "only my sister knows"
CONSOLE = "a-token-of-the-console"
DESK = """\
flow: desk
initial: pin
on: {exhausted: bye, error: bye}
variables:
  user.pin: {type: text, sensitive: true, keep: 90d}
states:
  pin: {digits: {prompt: Your PIN?, maxDigits: 12, sensitive: true, into: user.pin}, next: why}
  why:
    record: {prompt: Why?, transcribe: true, holdPrompt: One moment., sensitive: true, into: story}
    next: bye
    on: {error.transcribe: bye}
  bye: {say: Goodbye., final: true}
"""


async def test_neither_tables_nor_log_nor_news_hold_what_was_said_in_confidence(tmp_path: Path, signer: Signer) -> None:
    """The database writes each statement with its values into its log, as operators have it do when they look for a
    slow one: what is sealed only there would be in it."""
    if (folder := installed()) is None:
        pytest.skip(MISSING)
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows" / "desk.yaml").write_text(DESK)
    (tmp_path / "script.json").write_text(json.dumps({"*": {"text": SAID, "confidence": 0.9}}))
    heard: list[str] = []
    with running_cluster(log_statement="all", log_min_error_statement="debug5") as cluster:
        variables = settings(
            cluster.url(), tmp_path, IVR_STT="scripted", IVR_STT_SCRIPT=str(tmp_path / "script.json"),
            IVR_CONSOLE_TOKEN=CONSOLE,
        )  # fmt: skip
        async with served(tmp_path, signer=signer, **variables) as server, phone_to(server.port, signer) as phone:
            listening = await asyncpg.connect(cluster.url())
            await listening.add_listener("ivr_news", lambda *news: heard.append(news[-1]))
            call = await phone.call(Press(PIN), Speak(SAID))
            assert call.statuses == [200] * 4
            assert await listening.fetchval("SELECT count(*) FROM user_value") == 1
            await listening.close()
            log = await server.stop()
        dump = subprocess.run(
            [str(folder / "pg_dump"), "--inserts", cluster.url()], capture_output=True, check=True,
        ).stdout.decode()  # fmt: skip
        statements = cluster.output
    assert "INSERT INTO public.turn" in dump
    assert "WITH moved AS" in statements
    assert "parameters: $1 = " in statements
    assert heard
    secrets = [PIN, SAID, CONSOLE, SEAL_KEY, SECRET, signer.token()]
    for text in (dump, statements, log, "".join(heard)):
        found = [secret for secret in secrets if secret in text or secret.encode().hex() in text]
        assert found == []
