"""A store with something of everything in it, to be copied and erased, and all that can be asked of it."""

from typing import Any

from msgspec.structs import replace

from ivr.bot_state import StateKey
from ivr.call_record import REMEMBERED, CallRecord
from ivr.engine.commands import Notify
from ivr.ports import Outbound
from ivr.sign_in_ports import DirectoryUser
from ivr.sign_in_storage import Attempt, SignIn, Tokens
from ivr.user_values import KeptValue, User
from tests.store.archive_answers import archive_answers
from tests.store.store_examples import (
    SECRET,
    after,
    answered,
    key,
    line,
    record,
    recorded,
    request,
)
from tests.store.store_worlds import World, claim

ANNA, BERT = "anna-number", "bert-number"
NAMES = "abcd"
SMALL_ONE, LARGER = f"{'1' * 32}.wav", f"{'2' * 32}.wav"


def of(caller: str, name: str, **more: Any) -> CallRecord:
    """Return a call of somebody before its first commit."""
    fresh = record(name, **more)
    facts = replace(fresh.call.facts, caller=caller, started=1_790_000_000.0)
    return replace(fresh, call=replace(fresh.call, facts=facts))


async def fill(world: World) -> None:
    """Save four calls: in progress and waiting for answers, over, full of repeats, and with nothing but a turn.

    Two of each caller, and beside them what is kept of callers, said, asked, told and signed in.
    """
    await world.store.save_flow("f" * 64, b"flow: f\n")
    waiting = after(
        of(ANNA, "a", private=SECRET), line(0), recorded(SMALL_ONE), audio=b"anna-sounds",
        jobs=(request("1.1"), request("1.2", sensitive=True), request("1.3")),
    )  # fmt: skip
    told = Notify("1.9", "mail", "anna-address@example.com", text="anna-told-them")
    asked = Outbound("1.8", "POST", "/calls", {"to": "anna-asked-for"}, lane="one")
    kept = (KeptValue("user.name", "anna-kept", 9e9), KeptValue("user.pin", "anna-private", 9e9, private=True))
    await world.store.commit(
        replace(
            waiting,
            notifications=(told, replace(told, job="1.10")),
            outbound=(asked, replace(asked, id="1.7")),
            kept=kept,
        )
    )
    await claim(world.store, limit=2)
    await world.store.finish(waiting.record.id, "1.2", answered("1.2", "anna-said-this"))
    over = after(of(ANNA, "b"), line(0), recorded(LARGER))
    await world.store.commit(over)
    await world.store.commit(after(over.record, over=True))
    await repeat(world, of(BERT, "c"))
    await world.store.commit(replace(after(of(BERT, "d"), line(0)), kept=(KeptValue("user.name", "bert-kept", 9e9),)))
    await world.voicemails.mark(record("b").id, LARGER, done=True, at=2.0)
    for number in range(3):
        await world.mailbox.put(f"{waiting.record.id}.{number}", "talk", b'"anna-wrote"', at=1.0)
    attempt = Attempt(
        "a" * 32, waiting.record.id, "1.1", "calendar", "code", ("Read",), "de", "42", 10.0, 610.0, "open",
        link="l", ticket="t",
    )  # fmt: skip
    for one in (attempt, replace(attempt, id="b" * 32, link="l2", ticket="t2")):
        await world.sign_ins.add(one)
    [before, _] = await world.sign_ins.of_call(waiting.record.id)
    tokens = Tokens("access", 900.0, "refresh", DirectoryUser("directory", "anna"))
    await world.sign_ins.change(before, replace(before, tokens=tokens))
    for user in (ANNA, BERT):
        await world.states.put(StateKey("bot", "skype", user=user), b'"state"', None, at=0, most=9)


async def repeat(world: World, fresh: CallRecord) -> None:
    """Have so many messages that the first ones are forgotten, and then the first one again."""
    commit = after(fresh, line(0), message="first")
    await world.store.commit(commit)
    for number in range(REMEMBERED + 1):
        commit = after(commit.record, line(number + 1), message=f"message-{number}")
        await world.store.commit(commit)
    await world.store.commit(after(commit.record, line(99), message="first"))


async def everything(world: World) -> dict[str, object]:
    """Return all that its ports tell of it, but for what servers among themselves keep count of."""
    calls = [await world.store.load(key(name)) for name in NAMES]
    user = User("skype", "app", "", ANNA)
    return {
        "archive": await archive_answers(world.archive, NAMES),
        "calls": calls,
        "inboxes": [list(await world.store.inbox(record(name).id)) for name in NAMES],
        "orders": sorted(await claim(world.store, owner="another", now=9e8), key=lambda one: one.request.job),
        "due": await world.store.due(9.5e9),
        "values": await world.store.known(user, now=1.0),
        "mail": list(await world.mailbox.after("talk", "", limit=9)),
        "states": [await world.states.get(StateKey("bot", "skype", user=user), at=0) for user in (ANNA, BERT)],
        "told": list(await world.outbox.list(limit=9)),
        "asked": list(await world.requests.list(limit=9)),
        "sign-ins": [_apart(one) for one in await world.sign_ins.of_call(record("a").id)],
        "sign-ins by digest": [_apart(await world.sign_ins.known(digest)) for digest in ("l", "l2", "t", "t2")],
        "sign-ins that are due": [_apart(one.sign_in) for one in await world.sign_ins.watched(611.0)],
        "done": await world.voicemails.recorded(done=True, before=None, limit=9, look=9),
    }


def _apart(sign_in: SignIn | None) -> tuple[Attempt, Tokens | None] | None:
    """Return a sign-in without the count of its changes, which begins anew in each store."""
    return (sign_in.attempt, sign_in.tokens) if sign_in is not None else None
