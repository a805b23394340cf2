"""A line to call: our server with its flows, and our gateway in front of it, as processes of this machine."""

from __future__ import annotations

import io
import sys
import wave
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ivr.engine.events import RecordingMade
from ivr.storage import CallSummary
from ivr.store.data_folder import DataFolder
from tests.free_ports import free_port
from tests.kept_recordings import kept_recordings
from tests.sip_peers.certificates import Certificates
from tests.sip_peers.programs import Program, has_ipv6
from tests.stored import stored_in

HERE = Path(__file__).parent
FLOWS = HERE.parents[1] / "flows"
IVR = (sys.executable, "-m", "ivr")


@dataclass(frozen=True)
class Server:
    """`ivr serve --dev`, and what it has stored."""

    url: str
    data: DataFolder

    def calls(self, caller: str = "") -> Sequence[CallSummary]:
        """Return the calls of a caller, the newest first."""
        with stored_in(self.data.path) as archive:
            return [call for call in archive.recent() if caller in (call.caller or "")]

    def recording(self, call: str) -> bytes:
        """Return the one recording of a call, a file's content."""
        with stored_in(self.data.path) as archive:
            (made,) = [step.event for step in archive.trace(call) if isinstance(step.event, RecordingMade)]
        assert made.media
        return kept_recordings(self.data.path)[made.media]


@dataclass(frozen=True)
class Gateway:
    """`ivr gateway`."""

    process: Program
    port: int
    "For UDP and TCP."
    tls_port: int
    status: int
    "The port of its health."

    def uri(self, number: str, transport: str = "udp") -> str:
        """Return how a number is called here."""
        port = self.tls_port if transport == "tls" else self.port
        return f"sip:{number}{'@' if number else ''}127.0.0.1:{port};transport={transport}"


@dataclass(frozen=True)
class Line:
    """Both."""

    server: Server
    gateway: Gateway


@contextmanager
def server(folder: Path, *flows: Path, environment: Mapping[str, str] = {}) -> Iterator[Server]:
    """Run our server, in development, with speech recognition."""
    folder.mkdir(parents=True)
    variables = {"IVR_STT": "pocketsphinx", "IVR_DATA": str(folder / "data"), **environment}
    process = Program(*IVR, "serve", "--dev", "--port", "0", *map(str, flows), folder=folder, environment=variables)
    try:
        url = process.said("Serving").split(" at ")[1].split(maxsplit=1)[0].rstrip("/.,")
        yield Server(url, DataFolder(folder / "data"))
    finally:
        process.stop()


@contextmanager
def gateway(
    folder: Path, bot: str, *options: str, tls: Certificates | None = None, environment: Mapping[str, str] = {}
) -> Iterator[Gateway]:
    """Run our gateway for one bot, on free ports."""
    port, rtp = free_port(count=3), free_port(count=600)
    hosts = ["127.0.0.1", *(["[::1]"] if has_ipv6() else [])]
    listens = [f"{transport}://{host}:{port}" for transport in ("udp", "tcp") for host in hosts]
    listens += [f"tls://127.0.0.1:{port + 1}"] if tls else []
    command = [*IVR, "gateway", "--bot", bot, "--rtp", f"{rtp}-{rtp + 599}", "--status", f"127.0.0.1:{port + 2}"]
    for address in listens:
        command += ["--sip", address]
    if tls:
        command += ["--tls-certificate", str(tls.certificate), "--tls-key", str(tls.key)]
        command += ["--tls-authorities", str(tls.authority)]
    folder.mkdir(parents=True)
    process = Program(*command, *options, folder=folder, environment=environment)
    try:
        process.said("Taking calls at")
        yield Gateway(process, port, port + 1, port + 2)
    finally:
        process.stop()


def samples_of_wav(wav: bytes) -> tuple[bytes, int]:
    """Return the samples of a mono WAV file, and how many there are in a second."""
    with wave.open(io.BytesIO(wav), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth()) == (1, 2)
        return file.readframes(file.getnframes()), file.getframerate()
