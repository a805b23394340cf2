"""What the platform puts up with; the protocol leaves most of these numbers open (protocol 14, 18)."""

import math

from msgspec import Struct


class PhoneLimits(Struct, frozen=True):
    """Settings of a platform. Times are in seconds, sizes in bytes."""

    workflows: int = 200
    "Replies of one call, at most; a limit is known to have existed, not its size."
    call_length: float = 3600.0
    answer_time: float = 15.0
    "For one reply."
    retries: int = 2
    "Repeats of a message that got a 5xx or no answer."
    retry_after: float = 0.5
    "Before the first repeat; doubled for each further one."
    retry_most: float = math.inf
    "Before any repeat, at most."
    give_up: float = math.inf
    "For all tries of one message: one that is under way is then cut off."
    reply_size: int = 1024 * 1024
    file_size: int = 512 * 1024
    "Of a played file."
    file_time: float = 10.0
    "For fetching a played file."
    parting: float = 3.0
    "For telling the bot that a caller has vanished: a page was closed, Ctrl-C was pressed."
