"""Open files of the process: many calls take more of them, for their ports, than a process may have by default."""

import resource


def make_room_for(files: int) -> int | None:
    """Let the process have so many open files; return how many it may have if these are too few, else None."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY or soft >= files:
        return None
    if hard != resource.RLIM_INFINITY and hard < files:
        return hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (files, hard))
    return None
