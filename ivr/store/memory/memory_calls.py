"""The store's twin in memory: the same promises but for durability, for tests and their simulator.

It refuses what a database would refuse, and no method of it ever waits, so it runs under any event loop or none.
"""

import secrets
from collections.abc import Callable, Sequence
from itertools import count

from ivr.call_record import CallRecord, Commit, Stepped, recordings_in
from ivr.conversations import conversation_of, number_of
from ivr.engine.events import Event
from ivr.errors import StoreUnavailable
from ivr.mailbox import Mail
from ivr.outbox import Notification, PlatformRequest
from ivr.ports import CallKey
from ivr.sign_in_storage import SignIn
from ivr.storage import Absent, Backlog, Order
from ivr.store.live import Live, Saved
from ivr.store.rows import Rows, to_json
from ivr.store.sealing import KEY_BYTES, Sealer
from ivr.store.user_columns import written
from ivr.user_values import KeptValue, Known, User


class MemoryStore:
    """`CallStoreInMemory`."""

    def __init__(self) -> None:
        self._live = Live()
        self._rows = Rows(Sealer(secrets.token_bytes(KEY_BYTES), source="memory"))
        self.calls: dict[str, Saved] = {}
        "By our id, the oldest first, over or not."
        self.traces: dict[str, list[Stepped]] = {}
        "By our id of the call."
        self.media: dict[str, bytes | None] = {}
        "Each recording that a call took, and a small one itself."
        self.flows: dict[str, bytes] = {}
        "By hash."
        self.notifications: dict[str, Notification] = {}
        "By name, the oldest first; sent or not."
        self.kept: dict[User, dict[str, KeptValue]] = {}
        "Of callers, by the names of variables."
        self._keys: dict[CallKey, str] = {}
        self._assets: dict[str, str] = {}
        "Of flows: the hash of one that has it."
        self._rows_begun = count(1)
        self.requests: dict[str, PlatformRequest] = {}
        "To platforms, by name, the oldest first."
        self.sign_ins: dict[str, SignIn] = {}
        "By the id of the attempt, the oldest first."
        self.mail: dict[str, tuple[str, Mail]] = {}
        "Conversation and message by name, the oldest first."
        self.handled: dict[str, float] = {}
        "Recordings that are done, and since when."

    def restart(self) -> None:
        """Forget what a killed process forgets: who had taken which order. Everything committed stays."""
        self._live.orders.restart()

    # --- CallStore ---

    def pseudonym(self, message: str) -> str:
        """Return what stands for a message's id: always the same, and it tells nothing of the id."""
        return self._rows.pseudonym(message)

    async def load(self, key: CallKey) -> CallRecord | None:
        """Return the call as last committed; None: there is no such call."""
        saved = self._find(key)
        return saved.record if saved else None

    async def newest(self, conversation: CallKey) -> int:
        """Return the number of the newest call of a conversation; 0: it has none."""
        return max((number_of(key) for key in self._keys if conversation_of(key) == conversation), default=0)

    async def inbox(self, call: str) -> Sequence[Event]:
        """Return the answers that are kept and not yet stepped, in the order in which they came."""
        return self._live.orders.inbox(call)

    def glance(self, key: CallKey) -> CallRecord | Absent:
        """Return a call as last committed, unless it is over or has an answer that waits."""
        saved = self._find(key)
        if saved is None:
            return Absent.UNKNOWN
        return Absent.WAIT if saved.over or self._live.orders.inbox(saved.record.id) else saved.record

    def hand_over(self, commit: Commit, then: Callable[[Exception | None], None]) -> None:
        """Keep all of a turn or nothing; what `then` begins comes after that, and before this returns."""
        self._keep(commit)
        then(None)

    async def commit(self, commit: Commit) -> None:
        """Keep all of a turn or nothing; raise StaleCall if another turn was faster, StoreUnavailable if it cannot."""
        self._keep(commit)

    def _keep(self, commit: Commit) -> None:
        record = commit.record
        stored = self._find(record.key)
        self._live.check(commit, stored)
        media = self._checked(commit, stored)
        outbound = {f"{record.id}.{order.id}": order for order in commit.outbound}
        if len(outbound) < len(commit.outbound) or outbound.keys() & self.requests.keys():
            raise StoreUnavailable(f"call {record.id}: a request to the platform is made twice")
        notifications = {f"{record.id}.{order.job}": order for order in commit.notifications}
        if len(notifications) < len(commit.notifications) or notifications.keys() & self.notifications.keys():
            raise StoreUnavailable(f"call {record.id}: a notification is made twice")
        if stored is None and record.id in self.calls:
            raise StoreUnavailable(f"call {record.id}: another call has this id")
        saved = Saved(stored.row if stored else next(self._rows_begun), record)
        self._live.apply(saved, commit)
        self.calls[record.id] = saved
        self._keys[record.key] = record.id
        self.traces.setdefault(record.id, []).extend(commit.trace)
        if media is not None:
            self.media[media] = commit.audio
        if record.user is not None:
            self._keep_values(record.user, commit.kept)
        for name, request in outbound.items():
            self.requests[name] = PlatformRequest(record.id, record.key, request, commit.at, due=commit.at)
        for name, order in notifications.items():
            self.notifications[name] = Notification(record.id, order, order.job, commit.at, due=commit.at)

    def _checked(self, commit: Commit, stored: Saved | None) -> str | None:
        """Return the recording that a turn takes; raise StoreUnavailable for what no row of a database could hold."""
        key = commit.record.key
        for text in (key.channel, key.account, key.id, commit.message or ""):
            to_json(text)  # half a surrogate pair, say
        for request in commit.jobs:
            self._rows.request(commit.record.id, request)
        for outbound in commit.outbound:
            to_json((key, outbound))
        for notify in commit.notifications:
            to_json(notify)
        for value in commit.kept:
            written(value.value)
        return self._rows.turn(0, 0, commit, stored.record if stored else None)[8]

    async def claim(
        self, owner: str, *, now: float, lease: float, limit: int, busy: frozenset[str] = frozenset()
    ) -> Sequence[Order]:
        """Hand out open orders, each to one worker at a time; see `ivr.store.orders` for those that run no more."""
        orders = self._live.orders
        runs, spent = orders.take(owner, now=now, lease=lease, limit=limit, busy=busy)
        for owed in spent:
            orders.answer(owed.call, owed.request.job, owed.given_up())
        return orders.begin(runs)

    async def finish(self, call: str, job: str, event: Event) -> bool:
        """Put a service's answer into the call's inbox; the first answer wins, False: it was not the first."""
        return self._live.orders.answer(call, job, event)

    async def due(self, now: float) -> Sequence[CallKey]:
        """Return the calls whose deadline, idle time or wake-up time is over, or whose inbox waits for a wake-up."""
        return self._live.due(now)

    async def unnamed(self, media: Sequence[str]) -> Sequence[str]:
        """Return those of these recordings that no call took."""
        return [name for name in media if name not in self.media and not self._live.orders.names(name)]

    async def named(self, media: str) -> bool:
        """Return whether a call took this recording."""
        return media in self.media

    async def save_flow(self, flow_hash: str, source: bytes, assets: Sequence[str] = ()) -> None:
        """Keep the source of a flow for as long as calls name it, and the names of its `assets`."""
        self.flows.setdefault(flow_hash, source)
        self._assets.update(dict.fromkeys(assets, flow_hash))

    async def flow(self, flow_hash: str) -> bytes | None:
        """Return the source of a flow."""
        return self.flows.get(flow_hash)

    async def flow_with(self, asset: str) -> str | None:
        """Return the hash of a flow that has this asset, whichever server has saved it; None: there is none."""
        return self._assets.get(asset)

    async def known(self, user: User, *, now: float) -> Known:
        """Return all that is kept of a caller."""
        kept = self.kept.get(user, {})
        return {name: (one.value, one.private) for name, one in kept.items() if one.until > now}

    async def forget_user(self, user: User) -> None:
        """Erase all that is kept of a caller."""
        self.kept.pop(user, None)

    async def forget_values(self, *, now: float) -> int:
        """Erase what has been kept for as long as it was to be; return how many values that were."""
        expired = [(user, name) for user, kept in self.kept.items() for name, one in kept.items() if one.until <= now]
        for user, name in expired:
            del self.kept[user][name]
        return len(expired)

    async def backlog(self) -> Backlog:
        """Return what is under way."""
        return self._live.backlog()

    async def probe(self) -> None:
        """Do nothing: memory can always be read."""

    async def close(self) -> None:
        """Do nothing: there is nothing to let go of."""

    # --- for its archive ---

    def erase(self, calls: Sequence[str]) -> None:
        """Forget calls that are over, by our ids."""
        for call in calls:
            del self._keys[self.calls.pop(call).record.key]
            self._live.orders.forget(call)
            for name in [name for name, one in self.notifications.items() if one.call == call]:
                del self.notifications[name]
            for name in [name for name, asked in self.requests.items() if asked.call == call]:
                del self.requests[name]
            for attempt in [name for name, one in self.sign_ins.items() if one.attempt.call == call]:
                del self.sign_ins[attempt]
            for name in [name for name in self.mail if name.startswith(f"{call}.")]:
                del self.mail[name]
            for media in recordings_in(self.traces.pop(call)):
                self.media.pop(media, None)
                self.handled.pop(media, None)

    def erase_user(self, caller: str) -> int:
        """Erase what is kept of a caller on all lines; return how many values that were."""
        users = [user for user in self.kept if user.name == caller]
        return sum(len(self.kept.pop(user)) for user in users)

    def _keep_values(self, user: User, values: Sequence[KeptValue]) -> None:
        for one in values:
            kept = self.kept.setdefault(user, {})
            kept.pop(one.name, None)
            if one.value is not None:
                kept[one.name] = one

    def _find(self, key: CallKey) -> Saved | None:
        return self.calls[self._keys[key]] if key in self._keys else None
