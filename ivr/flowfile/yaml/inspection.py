"""What YAML reads without complaint and the author did not mean: half a text, an empty value, a text cut by a comma."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from collections.abc import Sequence as Ordered

from ivr.flowfile.finding import Edit
from ivr.flowfile.source import Mapping, Node, Path, Scalar, Sequence
from ivr.flowfile.yaml.mistakes import (
    COLON_ALONE,
    LOOK_BACK,
    QUOTES,
    Mistake,
    MistakeLog,
    no_space,
    no_space_after_dash,
    runs_on,
    space_after_colon,
)

SPOKEN = frozenset({"say", "text", "prompt", "reprompt", "noInput", "noMatch", "holdPrompt"})
"Keys whose plain text is spoken."
LANGUAGE = re.compile(r"[A-Za-z]{2}|[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){1,3}")
KEYS_OF_A_PHONE = frozenset({"dtmf", "terminators"})
SENTENCE_END = re.compile(r"""[.!?…:;]["')\]]*$|}}$""")
COMMENT = re.compile(r" (#[^\n\r]*)")
HASH_ALONE = re.compile(r"#[ \t]*(?:[\r\n]|$)")
DASHED = re.compile(r"-[^\W\d]")
LONGEST_COMMENT = 2_000
"Characters of a comment that are looked at; aliases can lead to the same one thousands of times."


class NodeInspector:
    """Goes through the nodes once, notes mistakes, and marks what is broken."""

    def __init__(self, broken: Ordered[int], noted: MistakeLog) -> None:
        self.broken = broken
        self.noted = noted

    def inspected(self, node: Node, path: Path, text: str) -> Node:
        """Return a node without what it cannot mean; its path says what kind of text it should be."""
        if isinstance(node, Scalar):
            return self._scalar(node, path, text)
        if isinstance(node, Sequence):
            if not node.items:
                self.noted.add(no_items(node))
                return Scalar("", "plain", node.start, node.end, broken=True)
            for mistake in in_list(node, path):
                if not self._is_broken(mistake.start, mistake.end):
                    self.noted.add(mistake)
            items = tuple(self.inspected(item, (*path, number), text) for number, item in enumerate(node.items))
            return Sequence(items, node.start, node.end, node.flow)
        if whole := in_single_braces(node, path, text):
            self.noted.add(whole)
            return Scalar("", "plain", node.start, node.end, broken=True)
        entries: dict[str, tuple[Scalar, Node]] = {}
        for name, (key, value) in node.entries.items():
            torn = in_braces(key, value, text)
            if torn is None:
                entries[name] = key, self.inspected(value, (*path, name), text)
                continue
            self.noted.add(torn)
            if torn.code == "space":  # the key that it was to be is there, with a value that nobody knows
                entries.setdefault(name.partition(":")[0], (key, Scalar("", "plain", key.start, key.end, broken=True)))
        return Mapping(entries, node.start, node.end, node.flow)

    def _scalar(self, node: Scalar, path: Path, text: str) -> Scalar:
        mistake = in_scalar(node, path, text) if not node.broken else None
        if mistake:
            self.noted.add(mistake)
        bad = node.broken or (mistake is not None and mistake.severity == "error")
        bad = bad or self._is_broken(node.start, node.end)
        return Scalar(node.text, node.style, node.start, node.end, bad) if bad else node

    def _is_broken(self, start: int, end: int) -> bool:
        return bisect_left(self.broken, start) < bisect_right(self.broken, end)


def in_scalar(node: Scalar, path: Path, text: str) -> Mistake | None:
    """Look for half a text, and for none."""
    if node.style in QUOTES and text.startswith("#", node.end):
        # To YAML that is a comment; it is the rest of a text, whose own beginning closed the one before.
        return runs_on(node.start, node.end, text)
    if node.style != "plain":
        return None
    if DASHED.match(node.text) and not text[max(0, node.start - LOOK_BACK) : node.start].rpartition("\n")[2].strip():
        return no_space_after_dash(node.start)
    key = _last_key(path)
    spoken = bool(node.text) and is_spoken(path)
    comment = COMMENT.match(text, node.end, node.end + LONGEST_COMMENT) if spoken else None
    if comment:
        said = comment[1].rstrip()
        message = f'"{said}" was read as a comment.'
        return Mistake(
            "hash",
            message,
            "Put the text in quotes if this belongs to it.",
            comment.start(1),
            comment.end(1),
            "warning",
        )
    if node.text:
        return None
    first = max(0, node.end - LOOK_BACK)
    taken = re.search(rf"{key}: *#", text[first : node.end + 2]) if key in KEYS_OF_A_PHONE else None
    if taken:
        at = first + taken.end() - 1
        fix = Edit(at, at + 1, '"#"') if HASH_ALONE.match(text, at) else None
        return Mistake("hash", '"#" without quotes begins a comment.', 'Write "#".', at, at + 1, fix=fix)
    start = node.end if node.end < len(text) else max(0, len(text) - 1)
    what = f'"{key}" has no value.' if key and path[-1] == key else "An item of the list has no value."
    return Mistake("empty", what, 'Write one, or "" for an empty text.', *_before(text, start))


def is_spoken(path: Path) -> bool:
    """Return whether a text at this path is spoken: by its key, or as one of the languages of such a key."""
    keys = [step for step in path if isinstance(step, str)]
    while keys and LANGUAGE.fullmatch(keys[-1]):
        keys.pop()
    return bool(keys) and (keys[-1] in SPOKEN | {"confirm"} or (len(keys) == 2 and keys[0] == "prompts"))


def _last_key(path: Path) -> str:
    return next((step for step in reversed(path) if isinstance(step, str)), "")


def _before(text: str, at: int) -> tuple[int, int]:
    """Return the word before a place: where nothing stands, there is nothing to underline."""
    first = max(0, at - LOOK_BACK)
    end = first + len(text[first:at].rstrip(" \t\r\n:"))
    word = re.search(r"[^\s\[{,]*$", text[first:end])
    start = first + word.start() if word else at
    return start, max(end, start + 1)


def no_items(node: Sequence) -> Mistake:
    """Refuse `[]`."""
    return Mistake("empty", "The list is empty.", "Write an item, or delete the key.", node.start, node.end)


def in_list(node: Sequence, path: Path) -> Iterator[Mistake]:
    """Look for a sentence that a comma has cut in two."""
    if not node.flow or _last_key(path) not in SPOKEN:
        return
    for item in node.items[:-1]:
        if isinstance(item, Scalar) and item.style == "plain" and item.text and not SENTENCE_END.search(item.text):
            message = f'In [ ] a comma ends a text: "{item.text}" is one, and what follows is the next.'
            yield Mistake("comma", message, "Put each text in quotes.", item.start, item.end)


def in_braces(key: Scalar, value: Node, text: str) -> Mistake | None:
    """Look for a text that a comma has cut, so that its rest looks like a key: `{text: Hello, you}`."""
    is_alone = isinstance(value, Scalar) and not value.text and ":" not in text[key.end : value.end + 1]
    if not is_alone or not isinstance(value, Scalar) or value.style != "plain" or value.start < key.end:
        return None
    if found := COLON_ALONE.fullmatch(key.text):
        return Mistake(*no_space(found), key.start, key.end, fix=space_after_colon(found, key.start))
    message = f'In {{ }} a comma ends a text, so "{key.text}" is a key without a value.'
    return Mistake("comma", message, "Put the text before the comma in quotes.", key.start, key.end)


def in_single_braces(node: Mapping, path: Path, text: str) -> Mistake | None:
    """Look for `say: { now | time }`, which YAML takes for a key without a value."""
    if not node.flow or len(node.entries) != 1 or not (is_spoken(path) or "set" in path[-2:-1]):
        return None
    [(inside, value)] = node.entries.values()
    mistake = in_braces(inside, value, text)
    if mistake is None or mistake.code != "comma":
        return None
    advice = f'Write "{{{{ {inside.text} }}}}", in quotes.'
    fix = Edit(node.start, node.end, f'"{{{{ {inside.text} }}}}"') if inside.style == "plain" else None
    return Mistake("braces", "An expression needs double braces.", advice, node.start, node.end, fix=fix)
