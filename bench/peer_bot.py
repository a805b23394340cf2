"""The bot on Microsoft's Node SDK that the server is measured beside: `peer/bot.js`, if it can run here."""

import shutil
from pathlib import Path

FOLDER = Path(__file__).parent / "peer"
SDK = "botbuilder-calling"


def peer_program() -> tuple[str, ...]:
    """Return what starts the bot, but for its port; raise LookupError with what is missing."""
    node = shutil.which("node")
    if node is None:
        raise LookupError("Without the peer: Node is not installed (apt-get install nodejs npm).")
    if not (FOLDER / "node_modules" / SDK).exists():
        raise LookupError(
            f"Without the peer: {SDK} is not installed (`npm install` in bench/peer, as `make bench` does)."
        )
    return node, str(FOLDER / "bot.js")
