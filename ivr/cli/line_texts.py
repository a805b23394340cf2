"""What a live line asks a voice for when a flow speaks a text: the cache keeps sound by exactly these texts.

A text goes to the line as a workflow, is read there by the phone, and is spoken in parts of whole sentences. All three
are done here as in a call, by the same code: so what is made ahead is what a call asks for.
"""

from collections.abc import Sequence
from functools import lru_cache

from ivr.channels.skype.speaking import written
from ivr.engine.commands import Play, Text
from ivr.phone.wire.workflow import RunnableWorkflow, read_workflow
from ivr.speech.wording import divided

_ADDRESS = "https://bot.example"
"No part of what is spoken."


@lru_cache(maxsize=1024)
def asked_of_a_voice(text: Text) -> Sequence[Text]:
    """Return the texts, in order, that are spoken for one text of a flow; none: no line would speak it."""
    workflow = read_workflow(written((Play("1.1", (text,)),), callback=_ADDRESS, media_base=_ADDRESS))
    if not isinstance(workflow, RunnableWorkflow):
        return ()
    return tuple(
        part
        for command in workflow.commands
        if isinstance(command, Play)
        for segment in command.prompt
        if isinstance(segment, Text)
        for part in divided(segment)
    )
