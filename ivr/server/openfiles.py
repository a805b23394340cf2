"""How many connections the system lets a process have: each is an open file, and so is much else."""

import logging
import resource

from msgspec.structs import replace

from ivr.server.connection import ConnectionLimits
from ivr.settings import SettingsError

log = logging.getLogger(__name__)

RESERVED = 96
"Open files that are no connections: the database, workers, recordings that arrive."
LEAST = 12


def fitted(limits: ConnectionLimits) -> ConnectionLimits:
    """Lower the limits to what `ulimit -n` allows, and say so in the log; raise SettingsError if it allows nothing."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if files == resource.RLIM_INFINITY:
        return limits
    lowered = within(files, limits)
    if lowered != limits:
        log.warning(
            "fewer connections",
            extra={
                "reason": f"`ulimit -n` allows {files} open files, which is enough for {lowered.most} connections and "
                f"not for {limits.most}. Raise it (LimitNOFILE= in systemd), or set IVR_MAX_CONNECTIONS."
            },
        )
    return lowered


def within(files: int, limits: ConnectionLimits) -> ConnectionLimits:
    """Return the limits, lowered as far as so many open files ask for; raise SettingsError where they are too few."""
    room = files - RESERVED
    if room < LEAST:
        raise SettingsError(
            f"`ulimit -n` allows {files} open files, and {RESERVED + LEAST} are needed. "
            "Raise it: LimitNOFILE= in systemd."
        )
    if limits.most + limits.spare + limits.lobby <= room:
        return limits
    spare, lobby = min(limits.spare, room // 12), min(limits.lobby, room // 4)
    return replace(limits, most=min(limits.most, room - spare - lobby), spare=spare, lobby=lobby)
