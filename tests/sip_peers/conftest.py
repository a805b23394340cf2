import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ivr.audio.g711 import MU_LAW
from tests.sip_peers.certificates import Certificates
from tests.sip_peers.lines import FLOWS, HERE, Gateway, Line, Server, gateway, server
from tests.sip_peers.listening import resampled
from tests.sip_peers.programs import completed
from tests.sip_peers.support_menu import ISSUE, RATE, voice

SECRET = "a password of tests"


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("line")


@pytest.fixture(scope="session")
def certificates(folder: Path) -> Certificates:
    return Certificates.made_in(folder)


@pytest.fixture(scope="session")
def silent_bot() -> Iterator[str]:
    """A bot that takes a connection and never answers."""
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/call"


@pytest.fixture(scope="session")
def bot(folder: Path) -> Iterator[Server]:
    """Our server, with the shipped support menu."""
    with server(folder / "server", FLOWS / "support.yaml", HERE / "message.yaml") as one:
        yield one


@pytest.fixture(scope="session")
def line(folder: Path, bot: Server, certificates: Certificates, silent_bot: str) -> Iterator[Line]:
    """The line that is called: a number is the name of a flow; `silent` is answered by nobody."""
    options = ["--map", "*=/call/{number}", "--map", f"silent={silent_bot}"]
    options += ["--invites-per-second", "1000", "--ringing-per-address", "500"]
    with gateway(folder / "gateway", bot.url + "/call", *options, tls=certificates) as one:
        yield Line(bot, one)


@pytest.fixture(scope="session")
def guarded(folder: Path, bot: Server) -> Iterator[Gateway]:
    """A gateway whose callers must know a password."""
    secret = {"IVR_GATEWAY_PASSWORD": SECRET}
    options = ("--map", "*=/call/{number}", "--password", "tester")
    with gateway(folder / "guarded", bot.url + "/call", *options, environment=secret) as one:
        yield one


@pytest.fixture(scope="session")
def words() -> bytes:
    """What callers say who are programs: mu-law, 8 kHz."""
    return MU_LAW.compressed(resampled(completed(voice(ISSUE, "female")), RATE, 8000))
