"""The twin in memory of sign-ins: what a `MemoryStore` holds. No method ever waits."""

from collections.abc import Sequence

from ivr.sign_in_storage import SignIn
from ivr.store.memory.memory_calls import MemoryStore


class MemorySignIns:
    """`SignInStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def load(self) -> Sequence[SignIn]:
        """Return all, the oldest first."""
        return list(self._store.sign_ins.values())

    async def save(self, sign_in: SignIn) -> None:
        """Keep an attempt and its tokens as they are now; nothing where there is no such call."""
        if sign_in.attempt.call in self._store.calls:
            self._store.sign_ins[sign_in.attempt.id] = sign_in

    async def erase(self, attempts: Sequence[str]) -> None:
        """Erase attempts with their tokens, by their ids; they need not be there."""
        for attempt in attempts:
            self._store.sign_ins.pop(attempt, None)

    async def over(self, calls: Sequence[str]) -> Sequence[str]:
        """Return those of these calls that are over, or that there are not."""
        live = {call for call, saved in self._store.calls.items() if not saved.over}
        return [call for call in calls if call not in live]

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""
