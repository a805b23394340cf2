"""Makes what live calls have in common one object, as it was before the server stopped: a third of their memory.

While a call is served, its operations share the memory of the moment in which they were asked for, and all calls the
words of their flow. What is read back from the disk is read anew for each of them.
"""

from msgspec.structs import replace

from ivr.call_record import CallRecord
from ivr.engine.call import Call, Facts, Memory, Operation
from ivr.ports import CallKey, WebhookReply


class SharedValues:
    """What the calls that were read so far have in common: words of flows and lines, and nothing of callers."""

    def __init__(self) -> None:
        self._words: dict[str, str] = {}
        self._offered: dict[tuple[str, ...], tuple[str, ...]] = {}

    def shared(self, record: CallRecord) -> CallRecord:
        """Return an equal record that shares what it can with those before it."""
        key = CallKey(self._word(record.key.channel), self._word(record.key.account), record.key.id)
        replies = {message: self._reply(reply) for message, reply in record.replies.items()}
        last = next((reply for reply in replies.values() if reply == record.last), record.last)
        return replace(record, key=key, call=self._call(record.call, record.id), replies=replies, last=last)

    def _call(self, call: Call, identity: str) -> Call:
        memories = [call.memory]
        return replace(
            call,
            flow=self._word(call.flow),
            facts=self._facts(call.facts, identity),
            state=self._word(call.state),
            asked=tuple(self._operation(operation, memories) for operation in call.asked),
        )

    def _facts(self, facts: Facts, identity: str) -> Facts:
        language = facts.language if facts.language is None else self._word(facts.language)
        known = identity if facts.id == identity else facts.id
        return replace(
            facts, id=known, channel=self._word(facts.channel), called=self._word(facts.called), language=language
        )

    def _operation(self, operation: Operation, memories: list[Memory]) -> Operation:
        """Share the memory of the call, or that of an operation before this one."""
        memory = next((one for one in memories if one == operation.memory), operation.memory)
        memories.append(memory)
        return replace(
            operation,
            op=self._word(operation.op),
            state=self._word(operation.state),
            memory=memory,
            offered=self._offered.setdefault(operation.offered, operation.offered),
        )

    def _reply(self, reply: WebhookReply | None) -> WebhookReply | None:
        return reply and replace(reply, content_type=self._word(reply.content_type))

    def _word(self, word: str) -> str:
        return self._words.setdefault(word, word)
