"""A process that has workers: nothing that runs as its user can look into its memory and environment."""

import subprocess
import sys

SCRIPT = """
import ctypes, os, sys
from ivr.audio.confinement import hide_memory

def looked_into():
    # Another process of the same user, as a worker is one.
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    try:
        for name in ("environ", "mem"):
            open(f"/proc/{os.getppid()}/{name}", "rb").close()
    except PermissionError:
        os._exit(1)
    os._exit(0)

if os.getuid() == 0:  # nothing is hidden from root
    os.setgroups([]); os.setgid(65534); os.setuid(65534)
    ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)  # PR_SET_DUMPABLE, as after a start as this user
before = looked_into()
hide_memory()
print(before, looked_into())
"""


def test_another_process_of_the_user_cannot_look_into_one_that_hides_its_memory() -> None:
    seen = subprocess.run((sys.executable, "-c", SCRIPT), capture_output=True, text=True, check=True, timeout=60)
    # Where the system lets nobody look (Yama), it is hidden before, too.
    assert seen.stdout.split()[1] == "False"


def test_whoever_has_workers_hides_its_memory() -> None:
    script = "import ctypes\nfrom ivr.audio.workers import Workers\nWorkers()\nprint(ctypes.CDLL(None).prctl(3))"
    seen = subprocess.run((sys.executable, "-c", script), capture_output=True, text=True, check=True, timeout=60)
    assert seen.stdout == "0\n"  # PR_GET_DUMPABLE
