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
    """The news of one store, those of this server too."""

    def hear(self, topic: Topic, then: Callable[[str], None]) -> None:
        """From now on call `then`, in the event loop, with what each news of a topic is about."""
