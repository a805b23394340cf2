"""What an action does unless its own file says otherwise: it asks nothing, waits for nothing, keeps nothing private."""

from msgspec import Struct

from ivr.engine.actions import Segment
from ivr.engine.events import Event
from ivr.engine.kinds.base import Result, Why
from ivr.engine.scope import Scope


class Common(Struct, frozen=True):
    """The part of `Kind` that most actions share."""

    @property
    def attempts(self) -> int:
        """None: it does not ask."""
        return 0

    @property
    def private(self) -> bool:
        """Nothing here is sensitive."""
        return False

    @property
    def keeps(self) -> str | None:
        """None: it does not ask."""
        return None

    def again(self, scope: Scope, why: Why, count: int) -> Result:
        """Cannot happen: only a question has attempts that can fail."""
        raise AssertionError(f"{type(self).__name__} does not ask")

    def hear(self, scope: Scope, event: Event, offered: tuple[str, ...]) -> Result | None:
        """Nothing is asked, so nothing is heard."""
        return None

    def kept(self, event: Event, result: Result | None) -> Event:
        """Nothing here is sensitive."""
        return event

    def hold(self, scope: Scope) -> tuple[Segment, ...]:
        """Nothing is waited for."""
        return ()
