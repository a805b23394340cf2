"""Take one message of a call and answer it once; wake a call for which no message is open.

The page to read first. A turn has two short transactions, and two ways lead through it.

**Two transactions.** The first saves what happened: the message's id, the new state, the orders to services. Nearly
always the reply is saved with it, and that is all. Only if the call now waits for a service, its reply is saved as owed
(None). The turn then waits, within the reply's budget, and the second saves the step of the answer (or of the hold) and
the reply.

*Why not one, at the end.* A crash while the service works would lose a message whose recording lies whole on the disk;
an order would run that no restart knows of; and a repeat that comes meanwhile would order everything once more.

*Why not one, at the beginning.* Then the reply cannot hold the answer: every caller would hear the hold prompt, for
words that are there in a second, and each hold costs one of the few workflows that the platform allows a call.

**Two ways.** `take` may wait for whatever it needs: a call or a flow that has to be read from the disk, a turn of the
same call that is being saved, a service. `take_now` waits for nothing but its commit, which nearly every message allows
where the live calls are in memory; it costs no task and no future. Where it would have to wait, it says so before
anything is done, and `take` does it. What they share is all that matters: which reply a message has already (`_named`),
what it leads to (`_told`, `_opened`), and what follows once that is saved (`_saved`).

Nothing is held in memory that a restart would miss:

- a repeat finds its id, and waits for the same reply or gets the same bytes;
- who loses a race (`StaleCall`) loads and looks at the message id again, since the winner may have been that message:
  to step again without looking would apply it twice;
- an answer that comes when no request is open is stepped by `wake`, if the caller has gone or the line can speak.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Generic, TypeVar, cast

from msgspec import Struct
from msgspec.structs import replace

from ivr.advance import Heard, advance, heard_enough
from ivr.bot_state import BotStates
from ivr.call_record import CallRecord
from ivr.conversations import addressed
from ivr.engine.call import Facts, new_call
from ivr.engine.events import CallEnded, Event
from ivr.engine.flow import Flow
from ivr.errors import OrderRefused, StaleCall, StoreUnavailable, WebhookError
from ivr.ports import CallingChannel, CallKey, Channel, Dial, Incoming, Outbound, WebhookReply
from ivr.storage import Absent, CallStore, CallStoreInMemory
from ivr.turn_beginning import UNKNOWN, Beginning, Beginnings, with_user
from ivr.turn_log import log_end, log_failures, log_message
from ivr.turn_needs import Closings, Deliveries, Flows, Jobs, NoDeliveries, Uploads
from ivr.turn_watch import Turn, TurnWatch, Watched
from ivr.user_values import User

Store = TypeVar("Store", bound=CallStore)
Told = Callable[[WebhookReply | None], None]


class Beside(Struct, frozen=True):
    """What is known of a call beside its record: answers that wait, and whether a recording is on its way in."""

    inbox: Sequence[Event] = ()
    uploading: bool = False


NOTHING: Final = Beside()


class Turns(Generic[Store]):
    """All turns of all calls of one server."""

    def __init__(
        self,
        *,
        store: Store,
        channels: Mapping[str, Channel],
        flows: Flows,
        jobs: Jobs,
        notifier: Deliveries | None = None,
        requests: Deliveries | None = None,
        uploads: Uploads,
        closings: Closings,
        now: Callable[[], float],
        mint: Callable[[], str],
        idle: float,
        grace: float,
        budget: float,
        states: BotStates | None = None,
        watch: TurnWatch | None = None,
    ) -> None:
        """Put together what a turn needs.

        `now` gives seconds since 1970, UTC; `mint` a new call id, 128 bits in hexadecimal digits; `idle` is the time
        without a message after which a call is closed; `grace` the time for which a recording may come in after the end
        of its call; `budget` the time a reply may take from the arrival of its request's first byte, all in seconds;
        `states` what bots keep of users, if a user who takes leave of a bot is to be forgotten there, too; `watch` who
        follows turns, if anybody.
        """
        self._store = store
        self._channels = channels
        self._flows = flows
        self._jobs = jobs
        self._notifier = notifier or NoDeliveries()
        self._requests = requests or NoDeliveries()
        self._uploads = uploads
        self._beginnings = Beginnings(channels, flows, closings, now)
        self._now = now
        self._mint = mint
        self._idle = idle
        self._grace = grace
        self._budget = budget
        self._states = states
        self._watched = Watched(watch, now)

    async def take(self, incoming: Incoming, *, flow: str | None = None, arrived: float) -> WebhookReply:
        """Take one message and give its reply, the same bytes however often it is sent.

        `flow` names the flow of a new call, as the address called says; `arrived` is when the request's first byte
        came. Raises WebhookError (404: no such call or flow), StoreUnavailable (nothing was saved), and FlowError or
        DataUnusable where what was stored of the call or of its flow cannot be read any more.
        """
        if incoming.again:
            incoming = await addressed(self._store, incoming, now=self._now())
        # Before, since a kill once the message is saved would leave it undone where no repeat comes; and after, since
        # the call that is over with this may have kept something yet.
        await self._forget(incoming.forgets)
        reply = await self._replied(incoming, flow, arrived)
        await self._forget(incoming.forgets)
        return reply

    async def _forget(self, user: User | None) -> None:
        """Erase what is kept of a user, in the state service too; None: nobody is to be forgotten."""
        if user is not None:
            await self._store.forget_user(user)
            if self._states is not None:
                await self._states.drop_user(user.account, user.within, user.name)

    async def _replied(self, incoming: Incoming, flow: str | None, arrived: float) -> WebhookReply:
        try:
            record, message = await self._apply(incoming, flow, arrived)
        except WebhookError as error:
            if incoming.otherwise is None or error.code != UNKNOWN:
                raise
            return incoming.otherwise
        while (reply := record.replies.get(message)) is None:
            since = self._now()
            await self._jobs.settled(record.id, max(0.0, arrived + self._budget - since))
            self._watched.waited(record.id, message, since)
            record = await self._answer_or_hold(incoming.key, message, until=arrived + self._budget)
        self._watched.replied(record.id, message, arrived)
        return reply

    async def wake(self, key: CallKey) -> None:
        """Step a call whose deadline is over or whose answer has come, if the line can speak or the caller has left.

        A channel that wanted to be woken is asked (`tick`), whatever it can do.
        """
        while (record := await self._store.load(key)) is not None and record.call.phase != "over":
            now = self._now()
            channel = self._channels[key.channel]
            uploading = await self._uploading(record, now)
            forgotten = record.call.phase != "gone" and record.idle_at <= now and not uploading
            ticks = record.wake is not None and record.wake <= now
            if not (forgotten or ticks or channel.can.push or record.call.phase == "gone"):
                return
            flow = await self._flows.get(record.call.flow)
            commit = advance(
                flow,
                channel,
                record,
                now=now,
                idle=self._idle,
                grace=self._grace,
                uploading=uploading,
                told=channel.tick(record.leg, now=now) if ticks else None,
                events=(CallEnded("system"),) if forgotten else (),
                inbox=await self._store.inbox(record.id),
            )
            if not (commit.trace or ticks) or await self._committed(Turn(flow, record, commit, now)):
                return

    async def answered(self, key: CallKey, request: Outbound, status: int, body: bytes) -> None:
        """Let the channel know what its platform answered to a request; twice, if the server is killed in between.

        `status` 0: the request was given up. A call that is over or unknown needs no answer.
        """
        while (record := await self._store.load(key)) is not None and record.call.phase != "over":
            now = self._now()
            channel = self._channels[key.channel]
            flow = await self._flows.get(record.call.flow)
            told = cast("CallingChannel", channel).answered(record.leg, request, status, body, now=now)
            commit = advance(flow, channel, record, now=now, idle=self._idle, grace=self._grace, told=told)
            if await self._committed(Turn(flow, record, commit, now)):
                return

    async def place(
        self, key: CallKey, dial: Dial, flow: Flow, *, values: Mapping[str, Any], ordered: str
    ) -> CallRecord:
        """Begin a call that we make, and order it of its platform; the one of this key, if it has begun already.

        `ordered` stands for the order as a whole. Raises ValueError for a target that the channel cannot call, and
        OrderRefused for values that do not fit the flow.
        """
        channel = cast("CallingChannel", self._channels[key.channel])
        while (record := await self._store.load(key)) is None:
            now = self._now()
            told = await self._beginnings.placed(self._store, channel, dial, flow, key, values=values)
            new = new_call(flow.hash, Facts(id=dial.id, channel=key.channel))
            first = CallRecord(dial.id, key, new, idle_at=now + dial.ring + self._idle, ordered=ordered)
            commit = advance(flow, channel, first, now=now, idle=self._idle, grace=self._grace, told=told)
            if why := commit.trace[0].ignored:
                raise OrderRefused(why)
            await self._committed(Turn(flow, CallRecord(dial.id, key, commit.record.call), commit, now))
        return record

    # --- what waits ---

    async def _apply(self, incoming: Incoming, name: str | None, arrived: float) -> tuple[CallRecord, str]:
        """Save what happened, and return with it the id under which the message's reply is stored.

        Nothing is done for a message that was applied before.
        """
        taken = self._watched.now()
        record = await self._look_up(incoming)
        while True:
            message = self._named(incoming, record)
            if record is not None and message.id in record.replies:
                return record, message.id
            if record is None:
                try:
                    begins = self._beginnings.of(message, name)
                    turn = self._opened(await with_user(self._store, begins))
                except WebhookError:  # it begins no call; it may be of one that memory holds no longer
                    record = await self._store.load(incoming.key)
                    if record is None:
                        raise
                    continue
            else:
                flow = await self._flows.get(record.call.flow)
                beside = Beside(await self._store.inbox(record.id), await self._uploading(record, self._now()))
                turn = self._told(message, flow, record, beside)
                if heard_enough(record):
                    return turn.commit.record, message.id
            if await self._committed(turn, arrived=arrived, taken=taken):
                log_message(turn.flow, turn.commit)
                return turn.commit.record, message.id
            record = await self._store.load(incoming.key)

    async def _look_up(self, incoming: Incoming) -> CallRecord | None:
        """Return the call that a message is about; None: it may be the first of a new one."""
        return await self._store.load(incoming.key)

    async def _answer_or_hold(self, key: CallKey, message: str, *, until: float) -> CallRecord:
        """Write the reply that a message is owed: with the service's answer if it is there, else then with a hold."""
        while True:
            record = await self._store.load(key)
            if record is None:
                raise WebhookError(404, UNKNOWN, "This call is not known here any more.")
            if record.replies.get(message) is not None:
                return record
            flow, inbox, now = await self._flows.get(record.call.flow), await self._store.inbox(record.id), self._now()
            if not inbox and now < until:  # it was news of nothing
                return record
            commit = advance(
                flow,
                self._channels[key.channel],
                record,
                now=now,
                idle=self._idle,
                grace=self._grace,
                inbox=inbox,
                answers=message,
            )
            if await self._committed(Turn(flow, record, commit, now)):
                return commit.record

    async def _committed(self, turn: Turn, *, arrived: float = 0.0, taken: float = 0.0) -> bool:
        """Save a turn; return whether it was saved, since another may be faster."""
        handed = self._watched.now()
        try:
            await self._store.commit(turn.commit)
        except (StaleCall, StoreUnavailable) as error:
            self._watched.settled(turn, arrived, taken, handed, error)
            if isinstance(error, StaleCall):
                return False
            raise
        self._watched.settled(turn, arrived, taken, handed, None)
        self._saved(turn)
        return True

    # --- what does not: the same on both ways ---

    def _named(self, incoming: Incoming, record: CallRecord | None) -> Incoming:
        """Return the message with the id under which its reply is stored."""
        if record is not None and incoming.id in record.replies:
            return incoming  # answered by an earlier release, which stored ids as they came
        return replace(incoming, id=self._store.pseudonym(incoming.id))

    def _opened(self, begins: Beginning) -> Turn:
        """Return what the first message of a call leads to."""
        incoming, call_id = begins.heard.incoming, self._mint()
        facts = Facts(id=call_id, channel=incoming.line or incoming.key.channel)
        record = CallRecord(call_id, incoming.key, new_call(begins.flow.hash, facts))
        return self._advanced(begins.flow, record, begins.heard, begins.now)

    def _told(self, incoming: Incoming, flow: Flow, record: CallRecord, beside: Beside = NOTHING) -> Turn:
        """Return what a message leads to where its call stands."""
        now = self._now()
        exchange = self._channels[incoming.key.channel].hear(record.leg, incoming, now=now)
        return self._advanced(flow, record, Heard(incoming, exchange), now, beside)

    def _advanced(self, flow: Flow, record: CallRecord, heard: Heard, now: float, beside: Beside = NOTHING) -> Turn:
        commit = advance(
            flow,
            self._channels[record.key.channel],
            record,
            now=now,
            idle=self._idle,
            grace=self._grace,
            uploading=beside.uploading,
            heard=heard,
            inbox=beside.inbox,
        )
        return Turn(flow, record, commit, now)

    def _saved(self, turn: Turn) -> None:
        """Do what follows a commit. Every end of a call passes here."""
        commit = turn.commit
        if commit.jobs:
            self._jobs.kick()
        if commit.outbound:
            self._requests.kick()
        if commit.notifications:
            self._notifier.kick()
        log_failures(turn.flow, commit)
        if turn.ends_call:
            log_end(turn.flow, commit.record.call, now=self._now())

    async def _uploading(self, record: CallRecord, now: float) -> bool:
        """Return whether a call's time is over, and a recording is on its way in that may be its own."""
        return record.until <= now and await self._uploads.under_way(record.key, before=record.until)


class TurnsInMemory(Turns[CallStoreInMemory]):
    """The same where the live calls are in memory: a message is taken now if it waits for nothing but its commit."""

    def take_now(self, incoming: Incoming, *, flow: str | None = None, arrived: float = 0.0, told: Told) -> bool:
        """Begin to take a message of a call that is in memory, or of a new one; return whether it was begun.

        False: it is not that simple (something has to be loaded or waited for, a repeat, a refusal, a fault), nothing
        was done, and `take` must do it. True: `told` is called once, in the event loop, with the reply as soon as it
        is durable. With None if it could not be saved, or is owed until a service answers: then, too, `take` does it
        from the start, and finds the message's id if it was saved. A store that needs no time calls it at once.
        """
        taken = self._watched.now()
        try:
            turn = self._turn_now(incoming, flow)
        except Exception:  # `take` meets it again, and whoever waits for `take` answers and logs it
            return False
        if turn is None:
            return False

        handed = self._watched.now()

        def then(error: Exception | None) -> None:
            reply = None
            try:
                self._watched.settled(turn, arrived, taken, handed, error)
                if error is None:
                    reply = turn.reply
                    self._saved(turn)
                    log_message(turn.flow, turn.commit)
                    if reply is not None:
                        self._watched.replied(turn.commit.record.id, turn.commit.message or "", arrived)
            finally:
                told(reply)

        try:
            self._store.hand_over(turn.commit, then)
        except Exception:  # nothing was begun; `take` meets it again
            return False
        return True

    def _turn_now(self, incoming: Incoming, name: str | None) -> Turn | None:
        """Return what a message leads to; None: that takes more than a look at memory."""
        if incoming.forgets is not None:
            return None
        record = self._store.glance(incoming.key)
        if record is Absent.UNKNOWN and incoming.starts:
            begins = self._beginnings.of(self._named(incoming, None), name)
            return None if begins.flow.remembered else self._opened(begins)
        if isinstance(record, Absent) or heard_enough(record) or record.until <= self._now():
            return None  # of a call whose time is over, an upload may be under way at another server
        message = self._named(incoming, record)
        flow = self._flows.held(record.call.flow)
        return None if flow is None or message.id in record.replies else self._told(message, flow, record)

    async def _look_up(self, incoming: Incoming) -> CallRecord | None:
        """Return the call that a message is about. A new call is not looked up on the disk: its first commit tells."""
        if incoming.starts and self._store.glance(incoming.key) is Absent.UNKNOWN:
            return None
        return await super()._look_up(incoming)
