"""What servers that share a store tell each other: that there is something new to look at.

News are hints, and the store is the truth: they can come late, twice or not at all, and whoever waits for something
looks there by itself now and then.
"""

from collections.abc import Callable
from typing import Literal, Protocol, TypeAlias

Topic: TypeAlias = Literal["answer", "mail", "signIn", "erased"]
"""What there is news of, and what each is about.

`answer`: our id of a call whose service has answered. `mail`: a conversation in which something was said. `signIn`: an
attempt that has changed. `erased`: our id of a call that was erased.
"""


class News(Protocol):
    """The news of one store, those of this server too. Whoever has changed something, and saved it, tells."""

    def tell(self, topic: Topic, about: str) -> None:
        """Let every server know, this one at once; without waiting for anything."""

    def hear(self, topic: Topic, then: Callable[[str], None]) -> None:
        """From now on call `then`, in the event loop, with what each news of a topic is about."""


class LocalNews:
    """`News` of a store that one process has."""

    def __init__(self) -> None:
        self._then: dict[Topic, list[Callable[[str], None]]] = {}

    def hear(self, topic: Topic, then: Callable[[str], None]) -> None:
        """From now on call `then` with what each news of a topic is about."""
        self._then.setdefault(topic, []).append(then)

    def tell(self, topic: Topic, about: str) -> None:
        """Let everybody here know at once."""
        for then in self._then.get(topic, ()):
            then(about)
