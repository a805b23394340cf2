"""Checks of a file's text and keys: they are found while it is read (`yaml`, `fields`, `validate`)."""

from ivr.flowfile.checks.declaration import Check

HASH = Check(
    "hash",
    "both",
    "A # without quotes begins a comment, so the text ends there.",
    group="Reading",
    bad="""
start:
  digits:
    prompt: Key your number and # to end.
  next: bye
""",
    good="""
start:
  digits:
    prompt: "Key your number and # to end."
  next: bye
""",
    fixable=True,
)

COMMA = Check(
    "comma",
    "error",
    "In [ ] and { }, a comma ends a text that is not in quotes.",
    group="Reading",
    bad="""
start:
  say: [Good morning, and welcome.]
  next: bye
""",
    good="""
start:
  say: ["Good morning, and welcome."]
  next: bye
""",
)

BRACES = Check(
    "braces",
    "error",
    "A value that begins with {{ is not in quotes.",
    group="Reading",
    bad="""
start:
  say: {{ call.to }}
  next: bye
""",
    good="""
start:
  say: "{{ call.to }}"
  next: bye
""",
    fixable=True,
)

STAR = Check(
    "star",
    "error",
    "A text that begins with * is not in quotes.",
    group="Reading",
    bad="""
start:
  menu: {prompt: To go on press star., choices: {go: {dtmf: *}}}
  next: bye
""",
    good="""
start:
  menu: {prompt: To go on press star., choices: {go: {dtmf: "*"}}}
  next: bye
""",
    fixable=True,
)

COLON = Check(
    "colon",
    "error",
    "A text that contains a colon and a space is not in quotes.",
    group="Reading",
    bad="""
start:
  say: Our hours: nine to five.
  next: bye
""",
    good="""
start:
  say: "Our hours: nine to five."
  next: bye
""",
    fixable=True,
)

AT = Check(
    "at",
    "error",
    "A text that begins with @ or ` is not in quotes.",
    group="Reading",
    bad="""
start:
  say: @home is our magazine.
  next: bye
""",
    good="""
start:
  say: "@home is our magazine."
  next: bye
""",
    fixable=True,
)

PERCENT = Check(
    "percent",
    "error",
    "A text that begins with % is not in quotes.",
    group="Reading",
    bad="""
start:
  say: %5 off today.
  next: bye
""",
    good="""
start:
  say: "%5 off today."
  next: bye
""",
    fixable=True,
)

TAG = Check(
    "tag",
    "error",
    "A text that begins with ! is not in quotes.",
    group="Reading",
    bad="""
start:
  say: !Hello there.
  next: bye
""",
    good="""
start:
  say: "!Hello there."
  next: bye
""",
    fixable=True,
)

TAB = Check(
    "tab",
    "error",
    "A line is indented with a tab.",
    group="Reading",
    bad="""
start:
  say: Hello.
\tnext: bye
""",
    good="""
start:
  say: Hello.
  next: bye
""",
    fixable=True,
)

QUOTE = Check(
    "quote",
    "error",
    "A quote is never closed, or closes a text too early.",
    group="Reading",
    bad="""
start:
  say: 'The patient's name, please.'
  next: bye
""",
    good="""
start:
  say: "The patient's name, please."
  next: bye
""",
    fixable=True,
)

SPACE = Check(
    "space",
    "error",
    "The space after a colon or a dash is missing.",
    group="Reading",
    bad="""
start:
  say: Hello.
  next:bye
""",
    good="""
start:
  say: Hello.
  next: bye
""",
    fixable=True,
)

SYNTAX = Check(
    "syntax",
    "error",
    "The file is not valid YAML.",
    group="Reading",
    bad="""
start:
  menu
    prompt: To go on press 1.
    choices: {go: {dtmf: "1"}}
  next: bye
""",
    good="""
start:
  menu:
    prompt: To go on press 1.
    choices: {go: {dtmf: "1"}}
  next: bye
""",
    fixable=True,
)

DUPLICATE_KEY = Check(
    "duplicate-key",
    "error",
    "A key is written twice in one place.",
    group="Reading",
    bad="""
start:
  say: Hello.
  say: Good morning.
  next: bye
""",
    good="""
start:
  say: Good morning.
  next: bye
""",
)

UNKNOWN_KEY = Check(
    "unknown-key",
    "error",
    "Unknown key.",
    group="Reading",
    bad="""
start:
  say: Hello.
  next: bye
  descripton: Says hello.
""",
    good="""
start:
  say: Hello.
  next: bye
  description: Says hello.
""",
    fixable=True,
)

MISSING = Check(
    "missing",
    "error",
    "A required key is missing.",
    group="Reading",
    bad="""
start:
  menu: {choices: {go: {dtmf: "1"}}}
  next: bye
""",
    good="""
start:
  menu: {prompt: To go on press 1., choices: {go: {dtmf: "1"}}}
  next: bye
""",
)

EMPTY = Check(
    "empty",
    "error",
    "A key has no value, a text has no words, or a list has no items.",
    group="Reading",
    bad="""
start:
  say:
  next: bye
""",
    good="""
start:
  say: Hello.
  next: bye
""",
)

UNIT = Check(
    "unit",
    "error",
    "A duration has no unit.",
    group="Reading",
    bad="""
start:
  digits: {prompt: Key your number., initialSilence: 10}
  next: bye
""",
    good="""
start:
  digits: {prompt: Key your number., initialSilence: 10s}
  next: bye
""",
    fixable=True,
)

VALUE = Check(
    "value",
    "error",
    "Invalid value.",
    group="Reading",
    bad="""
start:
  digits: {prompt: Key your number., maxDigits: 30}
  next: bye
""",
    good="""
start:
  digits: {prompt: Key your number., maxDigits: 10}
  next: bye
""",
    fixable=True,
)

UNREADABLE = Check(
    "unreadable",
    "error",
    "The file cannot be read.",
    group="Reading",
)

ENCODING = Check(
    "encoding",
    "error",
    "The file is not UTF-8.",
    group="Reading",
)

SIZE = Check(
    "size",
    "error",
    "The file is too large, is nested too deeply, or has too many mistakes.",
    group="Reading",
)
