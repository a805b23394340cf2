"""The flow of the simulation: it records, waits for words, asks for keys, and ends in each way."""

from tests.flows import flow_of

FLOW = flow_of("""
flow: simulated
initial: greeting
on: {exhausted: bye, error: trouble, hangup: bye}
states:
  greeting: {say: welcome, next: note}
  main:
    menu: {prompt: question, choices: {message: {dtmf: "1"}, number: {dtmf: "2"}}, noInput: what, maxAttempts: 2}
    on: {message: note, number: number}
  number:
    digits: {prompt: number, minDigits: 2, maxDigits: 5, maxAttempts: 2, into: number}
    next: main
  note:
    record: {prompt: speak, transcribe: true, transcribeTimeout: 40s, into: note, maxAttempts: 2}
    next: thanks
    on: {error.transcribe: thanks}
  thanks: {say: "{{ note.transcript or 'no words' }}", next: main}
  bye: {say: goodbye, final: true}
  trouble: {say: trouble, final: true, outcome: failed}
""")


def is_later(seed: int) -> bool:
    """Return whether the recordings of a schedule come later than the news of them."""
    return seed % 3 == 0
