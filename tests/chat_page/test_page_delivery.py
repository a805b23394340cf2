"""What is said on a page is kept for its conversation, once, however its body is written, and wakes whoever waits."""

import json

import pytest

from ivr.mailbox import mail_id
from ivr.news import LocalNews
from ivr.ports import Outbound
from ivr.server.chat_page.listeners import Listeners
from ivr.server.chat_page.page_delivery import PageDelivery
from ivr.services.egress import NotAllowed
from ivr.store.memory.memory_calls import MemoryStore
from ivr.store.memory.memory_mailbox import MemoryMailbox
from tests.store.store_examples import after, line, record

ACTIVITY = {"type": "message", "conversation": {"id": "c1"}, "text": "Hello"}


@pytest.mark.parametrize(
    "request_",
    [
        Outbound("1.1", "POST", "page:/x", ACTIVITY),
        Outbound("1.1", "POST", "page:/x", json.dumps(ACTIVITY), "written"),
    ],
    ids=["json", "written"],
)
async def test_a_message_is_kept_once_and_whoever_waits_is_woken(request_: Outbound) -> None:
    store, listeners, news = MemoryStore(), Listeners(8), LocalNews()
    news.hear("mail", listeners.wake)
    mailbox = MemoryMailbox(store)
    commit = after(record("a"), line(0))
    await store.commit(commit)
    name = f"{commit.record.id}.1.1"
    delivery = PageDelivery(mailbox, news)
    with listeners.listening("c1", "c1") as heard, listeners.listening("c2", "c2") as other:
        for _ in range(2):
            assert (await delivery.send(request_, name)).status == 201
        assert (heard.is_set(), other.is_set()) == (True, False)
    (one,) = await mailbox.after("c1", "", limit=9)
    assert json.loads(one.body) == {**ACTIVITY, "id": mail_id(name)}


def test_nothing_is_fetched_that_a_visitor_names() -> None:
    with pytest.raises(NotAllowed):
        PageDelivery(MemoryMailbox(MemoryStore()), LocalNews()).get("http://127.0.0.1/")
