"""Places for connections, and which one gives way to a newcomer: the less it has done, the sooner it goes.

A flood costs its sender nothing but connections, so a connection is worth what its sender has done with it. Age alone
would not do: at a thousand new ones a second, whatever was there before them is the oldest.
"""

from collections.abc import Iterator
from enum import IntEnum
from typing import Generic, Protocol, TypeVar


class Standing(IntEnum):
    """How much a connection has done; of those that have done the same, the one that was quiet longest goes first."""

    SILENT = 0
    "Not a byte has come. It goes whatever its age, but for the newest few: see `ConnectionPlaces.newest`."
    UNFINISHED = 1
    "Something has come, but no whole request: a head without its end, a form without its last letter."
    ANSWERED = 2
    "A whole request was answered, perhaps with a refusal."
    LET_IN = 3
    "One of its requests had a good token, or was an operator's."


class Placed(Protocol):
    """The part of a connection that decides about its place."""

    quiet_since: float
    "When its last answer was given, or when it came, by the loop's clock."

    @property
    def standing(self) -> Standing:
        """How much it has done so far."""

    @property
    def undelivered(self) -> bool:
        """Whether a part of its last answer is still to be sent."""


G = TypeVar("G", bound=Placed)


class ConnectionPlaces(Generic[G]):
    """A number of places. A connection that has one is busy (a request is under way) or rests."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.newest = most // 16
        """Of those who have sent nothing, or nothing whole, so many that came last go after all but those who were let
        in: else a thousand that have sent something would push out each newcomer before its first byte could come, or
        before that byte could be looked at."""
        self._taken: dict[G, Standing | None] = {}
        "All connections, and where each rests; None: it is busy."
        self._resting: dict[Standing, dict[G, None]] = {standing: {} for standing in Standing}
        "The longest quiet first."

    def __len__(self) -> int:
        return len(self._taken)

    @property
    def full(self) -> bool:
        """Whether a newcomer finds no place, unless another gives way."""
        return len(self._taken) >= self.most

    @property
    def busy(self) -> int:
        """How many have a request under way."""
        return len(self._taken) - sum(map(len, self._resting.values()))

    def resting(self) -> Iterator[G]:
        """Return the connections that rest now; places may be given up meanwhile."""
        return iter([connection for connections in self._resting.values() for connection in connections])

    def rest(self, connection: G) -> None:
        """Let a connection rest; it may be new, or its standing may have changed."""
        self._wake(connection)
        standing = connection.standing
        self._taken[connection] = standing
        self._resting[standing][connection] = None

    def work(self, connection: G) -> None:
        """Note that a connection has a request under way."""
        self._wake(connection)
        self._taken[connection] = None

    def leave(self, connection: G) -> None:
        """Take a place back."""
        self._wake(connection)
        self._taken.pop(connection, None)

    def first_to_go(self, *, quiet_before: float) -> G | None:
        """Return the connection that gives way to a newcomer; None: none can.

        One that was let in, or whose answer may still be on its way, goes only after a moment without a request.
        """
        for standing in (Standing.SILENT, Standing.UNFINISHED):
            if len(self._resting[standing]) > self.newest:
                return next(iter(self._resting[standing]))
        for standing in (Standing.ANSWERED, Standing.SILENT, Standing.UNFINISHED, Standing.LET_IN):
            for connection in self._resting[standing]:
                spared = standing is Standing.LET_IN or connection.undelivered
                if connection.quiet_since <= quiet_before or not spared:
                    return connection
        return None

    def _wake(self, connection: G) -> None:
        standing = self._taken.get(connection)
        if standing is not None:
            del self._resting[standing][connection]
