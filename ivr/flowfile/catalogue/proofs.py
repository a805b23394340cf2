"""Checks of the group Proofs."""

from ivr.flowfile.catalogue.rule import Rule

RULES = (
    Rule(
        "endless",
        "error",
        "A caller who never gives a valid answer can go round for ever.",
        """
start:
  digits: {prompt: Key your number.}
  next: bye
  on: {exhausted: sorry}
sorry: {say: Let us try that again., next: start}
""",
        """
start:
  digits: {prompt: Key your number.}
  next: bye
  on: {exhausted: [{guard: visits.start < 3, target: sorry}, bye]}
sorry: {say: Let us try that again., next: start}
""",
    ),
    Rule(
        "no-end",
        "error",
        "From somewhere no call can come to an end.",
        """
start: {say: We are open from nine to five., next: address}
address: {say: You find us in Harbour Street., next: start}
""",
        """
start: {say: We are open from nine to five., next: address}
address: {say: You find us in Harbour Street., next: bye}
""",
    ),
    Rule(
        "dropped-recording",
        "warning",
        "Who hangs up after speaking ends where nothing is made of the recording.",
        """
start:
  record: {prompt: What is the matter?, into: matter}
  next: more
more:
  menu: {prompt: To say it again press 1. To end press 2., choices: {again: {dtmf: "1"}, end: {dtmf: "2"}}}
  on: {again: start, end: bye}
""",
        """
start:
  record: {prompt: What is the matter?, into: matter}
  next: more
more:
  menu: {prompt: To say it again press 1. To end press 2., choices: {again: {dtmf: "1"}, end: {dtmf: "2"}}}
  on: {again: start, end: bye, hangup: bye}
""",
    ),
    Rule(
        "guessing",
        "warning",
        "A private answer can be tried without end in one call.",
        """
start:
  digits: {prompt: Key your PIN., minDigits: 4, maxDigits: 4, into: pin, sensitive: true}
  next: [{guard: pin == '2468', target: thanks}, start]
thanks: {say: Thank you., next: bye}
""",
        """
start:
  digits: {prompt: Key your PIN., minDigits: 4, maxDigits: 4, into: pin, sensitive: true}
  next: [{guard: pin == '2468', target: thanks}, {guard: visits.start < 3, target: start}, bye]
thanks: {say: Thank you., next: bye}
""",
    ),
)
