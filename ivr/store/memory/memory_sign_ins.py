"""The twin in memory of sign-ins: what a `MemoryStore` holds. No method ever waits."""

from collections.abc import Sequence

from msgspec.structs import replace

from ivr.sign_in_storage import Attempt, SignIn, Watched, digests_of, due_at
from ivr.store.memory.memory_calls import MemoryStore


class MemorySignIns:
    """`SignInStore`."""

    def __init__(self, store: MemoryStore) -> None:
        self._store = store

    async def add(self, attempt: Attempt) -> None:
        """Keep a new attempt; nothing where there is no such call."""
        if attempt.call in self._store.calls:
            self._store.sign_ins[attempt.id] = SignIn(attempt)

    async def get(self, attempt: str) -> SignIn | None:
        """Return an attempt by its id; None: there is none."""
        return self._store.sign_ins.get(attempt)

    async def known(self, digest: str) -> SignIn | None:
        """Return the attempt that has this digest."""
        found = (one for one in self._store.sign_ins.values() if digest in digests_of(one.attempt))
        return next(found, None)

    async def of_call(self, call: str) -> Sequence[SignIn]:
        """Return the attempts of a call, the oldest first."""
        return [one for one in self._store.sign_ins.values() if one.attempt.call == call]

    async def count(self) -> int:
        """Count all that there are."""
        return len(self._store.sign_ins)

    async def change(self, before: SignIn, after: SignIn) -> SignIn | None:
        """Keep `after` in the place of `before`; None: it is as before no longer."""
        now = self._store.sign_ins.get(before.attempt.id)
        if now is None or now.version != before.version:
            return None
        changed = replace(after, version=before.version + 1)
        self._store.sign_ins[before.attempt.id] = changed
        return changed

    async def erase(self, attempts: Sequence[str]) -> None:
        """Erase attempts with their tokens, by their ids; they need not be there."""
        for attempt in attempts:
            self._store.sign_ins.pop(attempt, None)

    async def watched(self, now: float) -> Sequence[Watched]:
        """Return those of calls that are over, and those that are due by then."""
        live = {call for call, saved in self._store.calls.items() if not saved.over}
        found = [Watched(one, one.attempt.call not in live) for one in self._store.sign_ins.values()]
        return [one for one in found if one.over or due_at(one.sign_in) <= now]
