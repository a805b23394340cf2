"""Drives a `CallMachine` by hand: says when what happens, and notes what the bot is asked."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ivr.carriers.jambonz.call_effects import Post, Wanted
from ivr.carriers.jambonz.call_info import CallFacts
from ivr.carriers.jambonz.call_machine import Application, CallMachine, HookFailed
from ivr.carriers.jambonz.verb_document import Refused, read_document
from ivr.line import CallerLeft, KeyDown, KeyUp, PromptEnded, Signal, Tick

HOOK = "http://127.0.0.1:9/call"
STATUS = "http://127.0.0.1:9/status"
FACTS = CallFacts("6f1e0b0e-0000-4000-8000-000000000001")
Bot = Callable[[Post], Sequence[Mapping[str, Any]] | HookFailed]


class ByHand:
    """One call of a bot that answers each hook by a function."""

    def __init__(self, bot: Bot, *, facts: CallFacts = FACTS) -> None:
        self.now = 0.0
        self.posts: list[Post] = []
        self.wanted: list[Wanted] = []
        self.machine = CallMachine(facts, Application(HOOK, STATUS))
        self._bot = bot
        if facts.direction == "inbound":
            self.machine.begin(self.now)
            self._settle()

    # --- what happens ---

    def after(self, seconds: float) -> "ByHand":
        """Let time pass, with whatever is due in it."""
        until = self.now + seconds
        while self.machine.ended is None and self.machine.deadline <= until:
            self.now = max(self.now, self.machine.deadline)
            self.take(Tick())
        self.now = until
        return self

    def presses(self, keys: str) -> "ByHand":
        for key in keys:
            self.take(KeyDown(key)).take(KeyUp())
        return self

    def hears(self) -> "ByHand":
        """Hear the prompt to its end."""
        return self.take(PromptEnded())

    def leaves(self) -> "ByHand":
        return self.take(CallerLeft())

    def take(self, signal: Signal) -> "ByHand":
        self.machine.take(signal, self.now)
        self._settle()
        return self

    # --- what is seen ---

    @property
    def results(self) -> list[dict[str, Any]]:
        """What the hooks of verbs were told, without what each is told of the call."""
        known = {*self.machine.info.told(), *self.machine.info.told_first(), "call_termination_by", "duration"}
        return [
            {name: value for name, value in post.payload.items() if name not in known}
            for post in self.posts
            if post.kind == "action"
        ]

    @property
    def statuses(self) -> list[tuple[str, int]]:
        return [(p.payload["call_status"], p.payload["sip_status"]) for p in self.posts if p.kind == "status"]

    def kinds(self) -> list[str]:
        return [post.kind for post in self.posts]

    def seen(self, kind: type[Wanted]) -> list[Any]:
        return [one for one in self.wanted if isinstance(one, kind)]

    def _settle(self) -> None:
        while effects := self.machine.taken():
            self.wanted += effects
            for effect in effects:
                if isinstance(effect, Post):
                    self.posts.append(effect)
                    self._answer(effect)

    def _answer(self, post: Post) -> None:
        answer = self._bot(post)
        if not post.awaited:
            return
        if isinstance(answer, HookFailed):
            self.machine.answered(post, answer, self.now)
            return
        document = read_document(json.dumps(answer).encode())
        read = HookFailed("refused", "", document.problems) if isinstance(document, Refused) else document
        self.machine.answered(post, read, self.now)


def bot_of(*documents: Sequence[Mapping[str, Any]] | HookFailed) -> Bot:
    """Return a bot that answers with one document after the other, and then hangs up."""
    left = list(documents)

    def answer(post: Post) -> Sequence[Mapping[str, Any]] | HookFailed:
        if not post.awaited:
            return []
        return left.pop(0) if left else [{"verb": "hangup"}]

    return answer


def gather(**properties: Any) -> dict[str, Any]:
    """Return a gather that asks a hook of its own."""
    return {"verb": "gather", "actionHook": "/step", **properties}
