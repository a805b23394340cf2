"""What a disk refuses, in an operator's words."""

import errno
from typing import Final

FULL: Final = "the disk is full"

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
"No room, no more of the user's share, a file that may not grow."


def disk_reason(error: OSError) -> str:
    """Return why a file could not be used, as a part of a sentence."""
    return FULL if error.errno in _FULL else (error.strerror or type(error).__name__)
