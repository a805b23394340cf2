"""The flow that these tests call, in two versions of which each says its colour in all that a caller hears.

It has what can get lost on the way: recordings, small and large, whose words are ordered; an order to a web service
that nobody may carry out twice; a notification of each recording.
"""

from pathlib import Path
from typing import Final, Literal, TypeAlias

Colour: TypeAlias = Literal["blue", "green"]
COLOURS: Final[tuple[Colour, ...]] = ("blue", "green")

_FLOW = """\
flow: desk
initial: greeting
on: {exhausted: bye, error: sorry}
variables:
  message: {type: recording, default: none}
states:
  greeting: {say: This is the COLOUR desk., next: main}
  main:
    menu:
      prompt: To the COLOUR desk you leave a message by 1, you order by 2, you give a number by 3, and leave by 4.
      choices:
        message: {dtmf: "1", speech: [message]}
        order: {dtmf: "2", speech: [order]}
        number: {dtmf: "3", speech: [number]}
        leave: {dtmf: "4", speech: [leave]}
    on: {message: message, order: order, number: number, leave: bye}
  message:
    record:
      prompt: The COLOUR desk listens.
      maxDuration: 60s
      transcribe: true
      transcribeTimeout: 60s
      holdPrompt: The COLOUR desk thinks.
      into: message
    next: told
    on: {error.transcribe: told}
    allow: {speech: The words come from a service.}
  told:
    notify: {webhook: "http://OUTSIDE/notices", text: "{{ message.transcript or 'no words' }}"}
    next: heard
  heard: {say: "The COLOUR desk has heard {{ message.transcript or 'no words' }}.", next: main}
  order:
    http:
      method: POST
      url: http://OUTSIDE/orders
      json: {what: pizza}
      returns: {receipt: text}
      timeout: 20s
      holdPrompt: The COLOUR desk orders.
      into: ordered
    next: receipt
    on: {error.http: no_receipt}
  receipt: {say: "The COLOUR desk has receipt {{ ordered.receipt }}.", next: main}
  no_receipt: {say: The COLOUR desk has no receipt., next: main}
  number:
    digits: {prompt: The COLOUR desk wants a number., minDigits: 2, maxDigits: 5, into: number}
    next: main
  bye: {say: The COLOUR desk says goodbye., final: true}
  sorry: {say: The COLOUR desk is sorry., final: true, outcome: failed}
"""


def write_desk(folder: Path, colour: Colour, outside: str) -> Path:
    """Write a version into a folder of its own, and return that; `outside` is where the services are."""
    flows = folder / colour
    flows.mkdir(exist_ok=True)
    text = _FLOW.replace("COLOUR", colour).replace("OUTSIDE", outside)
    (flows / "desk.yaml").write_text(text, "utf-8")
    return flows
