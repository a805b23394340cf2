"""Checks of the group Shape."""

from ivr.flowfile.catalogue.rule import Rule

RULES = (
    Rule(
        "one-action",
        "error",
        "A state does nothing, or several things.",
        """
start:
  say: Hello.
  digits: {prompt: Key your number.}
  next: bye
""",
        """
start: {say: Hello., next: ask}
ask:
  digits: {prompt: Key your number.}
  next: bye
""",
    ),
    Rule(
        "no-target",
        "error",
        "A state or a branch leads nowhere.",
        """
start: {decide: [{guard: call.from, target: known}, bye]}
known: {say: Hello.}
""",
        """
start: {decide: [{guard: call.from, target: known}, bye]}
known: {say: Hello., next: bye}
""",
    ),
    Rule(
        "unknown-target",
        "error",
        "A target is no state.",
        """
start: {say: Hello., next: by}
""",
        """
start: {say: Hello., next: bye}
""",
    ),
    Rule(
        "name",
        "error",
        "A name that is no name, or that means something else already. In quotes, a choice may have any name.",
        """
start:
  menu: {prompt: To go on press 1., choices: {done: {dtmf: "1"}}}
  next: bye
""",
        """
start:
  menu: {prompt: To go on press 1., choices: {ready: {dtmf: "1"}}}
  next: bye
""",
    ),
    Rule(
        "state-name",
        "warning",
        "A state is called like an action.",
        """
start: {say: Hello., next: digits}
digits:
  digits: {prompt: Key your number.}
  next: bye
""",
        """
start: {say: Hello., next: ask_number}
ask_number:
  digits: {prompt: Key your number.}
  next: bye
""",
    ),
    Rule(
        "unreachable",
        "error",
        "No call can come to a state.",
        """
start: {say: Hello., next: bye}
hours: {say: We are open from nine to five., next: bye}
""",
        """
start: {say: Hello., next: hours}
hours: {say: We are open from nine to five., next: bye}
""",
    ),
    Rule(
        "unreachable-branch",
        "error",
        "A branch stands behind one that is always taken.",
        """
start:
  say: Hello.
  next: [bye, {guard: call.from, target: known}, bye]
known: {say: Good to hear you., next: start_again}
start_again: {decide: [{guard: visits.known < 2, target: known}, bye]}
""",
        """
start:
  say: Hello.
  next: [{guard: call.from, target: known}, bye]
known: {say: Good to hear you., next: bye}
""",
    ),
    Rule(
        "no-otherwise",
        "error",
        "All branches have guards, so there may be no way on.",
        """
start:
  say: Hello.
  next: [{guard: call.from, target: bye}]
""",
        """
start:
  say: Hello.
  next: [{guard: call.from, target: bye}, withheld]
withheld: {say: Your number is withheld., next: bye}
""",
    ),
    Rule(
        "two-ways",
        "error",
        "An event stands in `next` and in `on`.",
        """
start:
  say: Hello.
  next: bye
  on: {done: bye}
""",
        """
start:
  say: Hello.
  next: bye
""",
    ),
    Rule(
        "final",
        "error",
        "A final state with a way on, or something that only final states have.",
        """
start:
  say: Hello.
  final: true
  next: bye
""",
        """
start:
  say: Hello.
  next: bye
""",
    ),
    Rule(
        "unhandled",
        "error",
        "Nobody handles an event.",
        """
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  on: {sales: bye}
""",
        """
start:
  menu:
    prompt: For sales press 1. For service press 2.
    choices: {sales: {dtmf: "1"}, service: {dtmf: "2"}}
  on: {sales: bye, service: bye}
""",
    ),
    Rule(
        "never",
        "error",
        "An event is handled that never happens there.",
        """
start:
  say: Hello.
  next: bye
  on: {noInput: bye}
""",
        """
start:
  say: Hello.
  next: bye
  on: {hangup: bye}
""",
    ),
    Rule(
        "outcome-typo",
        "warning",
        "Two outcomes differ by one letter.",
        """
start: {say: Hello., next: done_here}
done_here: {say: Until next time., final: true, outcome: resolvd}
""",
        """
start: {say: Hello., next: done_here}
done_here: {say: Until next time., final: true, outcome: resolved}
""",
    ),
    Rule(
        "default-outcome",
        "warning",
        "Only failures lead to an end that counts as resolved.",
        """
start: {say: Hello., next: thanks}
thanks: {say: Thank you., final: true}
bye: {say: Something went wrong., final: true}
""",
        """
start: {say: Hello., next: thanks}
thanks: {say: Thank you., final: true}
bye: {say: Something went wrong., final: true, outcome: failed}
""",
    ),
)
