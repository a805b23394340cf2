"""Checks of the group Reading."""

from ivr.flowfile.catalogue.rule import Rule

RULES = (
    Rule(
        "hash",
        "both",
        "A text is cut off at #, which begins a comment.",
        """
start:
  digits:
    prompt: Key your number and # to end.
  next: bye
""",
        """
start:
  digits:
    prompt: "Key your number and # to end."
  next: bye
""",
    ),
    Rule(
        "comma",
        "error",
        "A comma ends a text in [ ] and { }.",
        """
start:
  say: [Good morning, and welcome.]
  next: bye
""",
        """
start:
  say: ["Good morning, and welcome."]
  next: bye
""",
    ),
    Rule(
        "braces",
        "error",
        "A value begins with {{ and is not in quotes.",
        """
start:
  say: {{ call.to }}
  next: bye
""",
        """
start:
  say: "{{ call.to }}"
  next: bye
""",
    ),
    Rule(
        "star",
        "error",
        "A text begins with * and is not in quotes.",
        """
start:
  menu: {prompt: To go on press star., choices: {go: {dtmf: *}}}
  next: bye
""",
        """
start:
  menu: {prompt: To go on press star., choices: {go: {dtmf: "*"}}}
  next: bye
""",
    ),
    Rule(
        "colon",
        "error",
        "A text holds a colon with a space after it and is not in quotes.",
        """
start:
  say: Our hours: nine to five.
  next: bye
""",
        """
start:
  say: "Our hours: nine to five."
  next: bye
""",
    ),
    Rule(
        "at",
        "error",
        "A text begins with @ or ` and is not in quotes.",
        """
start:
  say: @home is our magazine.
  next: bye
""",
        """
start:
  say: "@home is our magazine."
  next: bye
""",
    ),
    Rule(
        "percent",
        "error",
        "A text begins with % and is not in quotes.",
        """
start:
  say: %5 off today.
  next: bye
""",
        """
start:
  say: "%5 off today."
  next: bye
""",
    ),
    Rule(
        "tag",
        "error",
        "A text begins with ! and is not in quotes.",
        """
start:
  say: !Hello there.
  next: bye
""",
        """
start:
  say: "!Hello there."
  next: bye
""",
    ),
    Rule(
        "tab",
        "error",
        "A line is indented with a tab.",
        """
start:
  say: Hello.
\tnext: bye
""",
        """
start:
  say: Hello.
  next: bye
""",
    ),
    Rule(
        "duplicate-key",
        "error",
        "A key stands twice in one place.",
        """
start:
  say: Hello.
  say: Good morning.
  next: bye
""",
        """
start:
  say: Good morning.
  next: bye
""",
    ),
    Rule(
        "unknown-key",
        "error",
        "A key is not a word of the language here.",
        """
start:
  say: Hello.
  next: bye
  descripton: Says hello.
""",
        """
start:
  say: Hello.
  next: bye
  description: Says hello.
""",
    ),
    Rule(
        "not-yet",
        "error",
        "A word of the language that this release does not have yet.",
        """
start:
  say: Hello.
  next: bye
  milestone: greeted
""",
        """
start:
  say: Hello.
  next: bye
""",
    ),
    Rule(
        "missing",
        "error",
        "A key that cannot be left out.",
        """
start:
  menu: {choices: {go: {dtmf: "1"}}}
  next: bye
""",
        """
start:
  menu: {prompt: To go on press 1., choices: {go: {dtmf: "1"}}}
  next: bye
""",
    ),
    Rule(
        "empty",
        "error",
        "A key without a value, a text without words, a list without items.",
        """
start:
  say:
  next: bye
""",
        """
start:
  say: Hello.
  next: bye
""",
    ),
    Rule(
        "unit",
        "error",
        "A time without its unit.",
        """
start:
  digits: {prompt: Key your number., initialSilence: 10}
  next: bye
""",
        """
start:
  digits: {prompt: Key your number., initialSilence: 10s}
  next: bye
""",
    ),
    Rule(
        "value",
        "error",
        "A value that is not possible for its key.",
        """
start:
  digits: {prompt: Key your number., maxDigits: 30}
  next: bye
""",
        """
start:
  digits: {prompt: Key your number., maxDigits: 10}
  next: bye
""",
    ),
    Rule(
        "quote",
        "error",
        "A quote is never closed, or closes a text before its end.",
        """
start:
  say: 'The patient's name, please.'
  next: bye
""",
        """
start:
  say: "The patient's name, please."
  next: bye
""",
    ),
    Rule(
        "space",
        "error",
        "The space after a colon or a dash is missing.",
        """
start:
  say: Hello.
  next:bye
""",
        """
start:
  say: Hello.
  next: bye
""",
    ),
    Rule(
        "syntax",
        "error",
        "The file cannot be read as YAML.",
        """
start:
  menu
    prompt: To go on press 1.
    choices: {go: {dtmf: "1"}}
  next: bye
""",
        """
start:
  menu:
    prompt: To go on press 1.
    choices: {go: {dtmf: "1"}}
  next: bye
""",
    ),
    Rule("unreadable", "error", "There is a file, and it cannot be read at all."),
    Rule("encoding", "error", "The file is not UTF-8."),
    Rule("size", "error", "The file is too large, nested too deep, or has too many mistakes."),
)
