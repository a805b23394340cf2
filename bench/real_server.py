"""The real `ivr serve` as it is measured: with its token check on, a flow of ours, and one port of this machine."""

from collections.abc import Mapping, Sequence
from pathlib import Path

APP_ID = "bench-app"
_FLOW = Path(__file__).parent / "flow.yaml"


def server_command(port: int) -> Sequence[str]:
    """Return what runs it, as words after `python -m`."""
    return ["ivr", "serve", str(_FLOW), "--host", "127.0.0.1", "--port", str(port)]


def server_environment(data: Path, metadata: str, **more: str) -> Mapping[str, str]:
    """Return its settings: it believes whoever has the keys at `metadata`, and logs what is wrong."""
    return {
        "IVR_APP_ID": APP_ID,
        "IVR_OPENID_METADATA": metadata,
        "IVR_OPENID_LOOPBACK": "true",
        "IVR_PUBLIC_URL": "https://bench.example",
        "IVR_DATA": str(data),
        "IVR_LOG_LEVEL": "warning",
        **more,
    }
