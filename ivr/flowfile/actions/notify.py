"""`notify`: how it is written."""

from collections.abc import Iterator
from typing import Annotated

from pydantic import Field

from ivr.engine.actions import notify as engine
from ivr.flowfile.actions.base import ActionSpec, Builder
from ivr.flowfile.containers import OneOrMany
from ivr.flowfile.fields import Reference, Text
from ivr.flowfile.model_base import Model
from ivr.flowfile.model_parts import Read
from ivr.flowfile.source import Path


class Notify(Model):
    """Tells somebody by mail or webhook: queued, sent when it can be, and never an error."""

    email: Annotated[list[Text], OneOrMany()] | None = Field(
        None, description="The address of a mail, or a list of them; each gets a mail of its own.", max_length=20
    )
    webhook: Text | None = Field(None, description="The https address that gets a signed POST, instead of a mail.")
    subject: Text | None = Field(None, description="The subject; default: the flow's name.")
    text: Text | None = Field(None, description="What is told; may hold {{ expression }}, and keeps its lines.")
    attach: Annotated[list[Annotated[str, Reference()]], OneOrMany()] | None = Field(
        None, description="Recordings, each by the variable that keeps it; one without a value is left out."
    )


class NotifySpec(ActionSpec[Notify]):
    """The action `notify` (LANGUAGE C4)."""

    word = "notify"
    description = "Tells somebody by mail or webhook; queued, and never waited for."
    runs = engine.Notify
    model = Notify
    is_on_the_line = False

    def build(self, state: str, builder: Builder) -> engine.Notify:
        """Make what the engine runs."""
        written = self.written
        return engine.Notify(
            "mail" if written.email else "webhook",
            tuple(map(builder.template, written.email or [written.webhook or ""])),
            builder.template(written.subject) if written.subject else None,
            builder.template(written.text) if written.text else None,
            tuple(map(builder.expression, written.attach or ())),
        )

    def successes(self) -> tuple[str, ...]:
        """Return that it is done."""
        return ("done",)

    def reads(self, here: Path) -> Iterator[Read]:
        """Go through the texts that are sent, and the recordings."""
        written = self.written
        for number, address in enumerate(written.email or ()):
            yield Read((*here, "email", number), address, "sent")
        for key, text in (("webhook", written.webhook), ("subject", written.subject), ("text", written.text)):
            if text is not None:
                yield Read((*here, key), text, "sent")
        for number, variable in enumerate(written.attach or ()):
            yield Read((*here, "attach", number), variable, "expression")
