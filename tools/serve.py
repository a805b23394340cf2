"""Run the server, a gateway in front of it and the web service that its flows ask, for development (`make serve`).

    .venv/bin/python tools/serve.py --port 8080 --sip-port 5070 --speech local flows/

Ctrl-C ends all of them. The gateway takes calls of softphones on this machine; the web service is that of the shipped
flows (flows/services/). Where the port of one of them is taken, the server runs without it, and says so.
With `--speech local` both use Whisper and the voice hibari; settings of speech in the environment go first.
"""

import argparse
import os
import re
import signal
import socket
import subprocess
import sys
import threading
from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from secrets import token_bytes

LOOPBACK = "127.0.0.1"
PATIENCE = 20.0
"Seconds that each of the two has to end before it is killed."
SERVICE = Path("flows/services/demo_service.py")
SERVICE_PORT = 8090
"As the shipped flows have it in their addresses."
COSTS = {
    "whisper": "Whisper understands English (0.4 GB of disk, 0.3 to 0.6 GB of memory in each of three to six "
    "processes, up to 1 s of processor time a message or choice)",
    "hibari": "hibari speaks English (up to 0.4 GB of memory in each of two processes)",
}
"What speech on this machine costs, by the names of the engine and the voice."


def main() -> int:
    """Run both until one is told to end them, or the server ends by itself; return the server's exit status."""
    options = _options()
    os.environ.update(_speech(options.speech))
    os.environ.setdefault("IVR_HTTP_HOSTS", f"{LOOPBACK}:{SERVICE_PORT}")
    os.environ.setdefault("IVR_WEBHOOK_SECRET", f"whsec_{b64encode(token_bytes(24)).decode()}")
    if costs := [COSTS[name] for name in (os.environ["IVR_STT"], os.environ.get("IVR_VOICE")) if name in COSTS]:
        _print(f"Speech on this machine: {'; '.join(costs)}. See docs/speech.md")
    others = list(_service())
    server = _start("serve", "--dev", "--host", options.host, "--port", options.port, *options.flows)

    def stop(*_: object) -> None:
        # The gateway first: it hangs up, and the server hears of it. Ctrl-C of the terminal reaches none of them.
        for process in reversed(others):
            _end(process)
        server.terminate()

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    has_gateway = False
    for line in _lines(server):
        _print(line)
        if not has_gateway and (url := re.search(r"^Serving .* at (http://\S+)", line)):
            has_gateway = True
            others += _gateway(url[1], options.sip_port)
    status = server.wait()
    for process in reversed(others):
        _end(process)
    return status


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default=LOOPBACK, help="of the server")
    parser.add_argument("--port", default="8080", help="of the server")
    parser.add_argument("--sip-port", type=int, default=5070, help="of the gateway")
    parser.add_argument("--speech", choices=("", "local"), default="", help="local: Whisper, and the voice hibari")
    parser.add_argument("flows", nargs="*", help="flow files, or folders of them")
    return parser.parse_args()


def _speech(speech: str) -> Mapping[str, str]:
    """Return the settings of speech that both processes get, where the environment has no others."""
    chosen = {"IVR_STT": "pocketsphinx"}
    if speech == "local":
        voices = Path(os.environ.get("IVR_DATA", "recordings/live"), "voices")
        chosen = {"IVR_STT": "whisper", "IVR_VOICE": "hibari", "IVR_VOICE_CACHE": str(voices)}
    return {name: os.environ.get(name) or value for name, value in chosen.items()}


def _service() -> Sequence[subprocess.Popen[str]]:
    """Start the web service of the shipped flows, if its port is free."""
    if not SERVICE.is_file():
        return ()
    if not _is_free(SERVICE_PORT):
        _print(f"No web service for the shipped flows: port {SERVICE_PORT} is in use.")
        return ()
    return (_run(sys.executable, str(SERVICE), "--port", str(SERVICE_PORT)),)


def _gateway(url: str, port: int) -> Sequence[subprocess.Popen[str]]:
    """Start the gateway, if its port is free."""
    if not _is_free(port):
        _print(f"No telephone calls: port {port} is in use. To take another: make serve SIP_PORT={port + 10}")
        return ()
    listens = [f"--sip={transport}://{LOOPBACK}:{port}" for transport in ("udp", "tcp")]
    process = _start("gateway", f"--bot={url}/call", "--map=*=/call/{number}", "--drain-time=0", *listens)
    threading.Thread(target=_introduce, args=(process, port), daemon=True).start()
    return (process,)


def _introduce(process: subprocess.Popen[str], port: int) -> None:
    """Print what to dial once the gateway takes calls, or that it has ended."""
    for line in _lines(process):
        if line.startswith("Taking calls"):
            _print(f"By telephone: call sip:FLOW@{LOOPBACK}:{port} with a softphone on this machine,")
            _print(f"             such as sip:support@{LOOPBACK}:{port}   (docs/sip-setups.md)")
        elif line.startswith("WARNING"):
            _print(line)
    if process.wait() > 0:
        _print("The gateway has ended: no more calls by telephone. The server goes on.")


def _start(*command: str) -> subprocess.Popen[str]:
    return _run(str(Path(sys.executable).parent / "ivr"), *command)


def _run(*command: str) -> subprocess.Popen[str]:
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)  # noqa: S603


def _lines(process: subprocess.Popen[str]) -> Iterator[str]:
    return (line.rstrip("\n") for line in process.stdout or ())


def _end(process: subprocess.Popen[str]) -> None:
    process.terminate()
    try:
        process.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        process.kill()


def _is_free(port: int) -> bool:
    """Return whether nobody has the port of this machine, neither for UDP nor for TCP."""
    try:
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(socket.AF_INET, kind) as probe:
                if kind == socket.SOCK_STREAM:
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as servers do: right after one ended
                probe.bind((LOOPBACK, port))
    except OSError:
        return False
    return True


def _print(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
