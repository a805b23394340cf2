"""How a check is declared: code, severity, title, examples, and the functions that find it, in one place.

`ivr check`, `allow`, the documentation and the tests all read `CHECKS`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial, wraps
from typing import Literal, ParamSpec, TypeAlias, get_args

from msgspec import Struct
from msgspec.structs import replace

from ivr.capabilities import Capabilities
from ivr.flowfile.assets import UnplayableAudio
from ivr.flowfile.document import Document
from ivr.flowfile.finding import Finding, Problem, Severity, Text
from ivr.flowfile.invoked_flows import Invoked

P = ParamSpec("P")

Group: TypeAlias = Literal["Reading", "Shape", "Dialogue", "Values", "Proofs"]
GROUPS: tuple[Group, ...] = get_args(Group)
"In the order of the documentation."

Missing: TypeAlias = Callable[[str, bool, str | None], Sequence[str]]
"""Says of a language, whether there are phrases, and the audio's format (None: whatever the line sends), what of that
the engine has not: each the rest of a sentence that begins "The speech engine"."""


class Phrases(Struct, frozen=True):
    """What a speech engine makes of phrases."""

    only: bool
    "It understands nothing else."
    lost: Callable[[str], str]
    "Says which letters of a phrase it has no sounds for."


class Provided(Struct, frozen=True):
    """What the server's settings provide for flows."""

    refuses: Callable[[str], str] | None = None
    "Says why no request may go to a host, written as an address; empty: it may. None: it is not checked."
    secrets: Collection[str] | None = None
    "The names of secrets; None: they are not checked."
    mail: bool = True
    "Whether mails are sent."
    recipients: bool = True
    "Whether mails may go to addresses that depend on the call."
    webhooks: bool = True
    "Whether webhooks are sent."
    sign_ins: bool = True
    "Whether callers can sign in."
    device_codes: bool = True
    "Whether they can by `device`."
    bears: Callable[[str], str] | None = None
    "Says why no caller's token may go to a host, written as an address; empty: it may. None: it is not checked."


class Environment(Struct, frozen=True):
    """What a flow is checked against."""

    audio: Mapping[str, bytes | UnplayableAudio]
    "What became of the files that its prompts name."
    lines: Mapping[str, Capabilities] = {}
    "What each line can do that it is for, by its name; none: it is not checked."
    missing: Missing | None = None
    "What the speech engine cannot do; None: it is not checked."
    phrases: Phrases | None = None
    invoked: Invoked = Invoked()
    "The flows that are invoked."
    provided: Provided = Provided()
    "What the settings provide; by default nothing of it is checked."

    def on_lines(self, find: Callable[[Capabilities], Iterable[Finding]]) -> Iterator[Finding]:
        """Look on each line. What is found on several is one finding; where there are several, it names them."""
        found: dict[Finding, dict[str, None]] = {}
        for name, can in self.lines.items():
            for one in find(can):
                found.setdefault(one, {})[name] = None
        for one, names in found.items():
            named = f"{one.message.removesuffix('.')} ({', '.join(names)})."
            yield one if len(self.lines) == 1 else replace(one, message=named)


Finder: TypeAlias = Callable[[Document], Iterator[Finding]]
EnvironmentFinder: TypeAlias = Callable[[Document, Environment], Iterator[Finding]]


class CheckText(Struct, frozen=True):
    """One of the texts of a check."""

    severity: Severity
    text: Callable[..., Text]


class Check:
    """One thing that `ivr check` can find."""

    def __init__(
        self,
        code: str,
        severity: Literal["error", "warning", "both"],
        title: str,
        *,
        group: Group,
        bad: str = "",
        good: str = "",
        fixable: bool = False,
    ) -> None:
        """Declare a check.

        `title` is one sentence: what is found. `bad` holds states of a flow, or a whole flow, in which it is found and
        nothing else; it is empty where no text can show it. `good` is the same, corrected. `fixable`: some of its
        findings have the edit that corrects them.
        """
        if code in CHECKS:
            raise ValueError(f"the check {code!r} is declared twice")
        self.code = code
        self.severity = severity
        self.title = title
        self.group = group
        self.bad = bad
        self.good = good
        self.fixable = fixable
        self.messages: list[CheckText] = []
        self.finders: list[EnvironmentFinder] = []
        CHECKS[code] = self

    @property
    def can_warn(self) -> bool:
        """Whether it can be acknowledged by `allow`."""
        return self.severity != "error"

    @property
    def only_severity(self) -> Severity:
        """The severity of all that it finds."""
        if self.severity == "both":
            raise ValueError(f"each message of {self.code!r} says whether it is an error or a warning")
        return self.severity

    def message(self, text: Callable[P, Text]) -> Callable[P, Problem]:
        """Add a text; what it is filled in with makes a problem of it, and `Document.finding` a finding of that."""
        return self._with(text, self.only_severity)

    def error(self, text: Callable[P, Text]) -> Callable[P, Problem]:
        """Add a text that refuses the flow, to a check that has both sorts."""
        return self._with(text, "error")

    def warning(self, text: Callable[P, Text]) -> Callable[P, Problem]:
        """Add a text that does not refuse the flow, to a check that has both sorts."""
        return self._with(text, "warning")

    def _with(self, text: Callable[P, Text], severity: Severity) -> Callable[P, Problem]:
        self.messages.append(CheckText(severity, text))

        @wraps(text)
        def problem(*args: P.args, **kwargs: P.kwargs) -> Problem:
            return Problem(self.code, severity, partial(text, *args, **kwargs))

        return problem

    def problem(self, message: str, suggestion: str = "") -> Problem:
        """Return a problem whose text was made elsewhere, such as by the expression language."""
        return Problem(self.code, self.only_severity, lambda: (message, suggestion))

    def finder(self, find: Finder) -> Finder:
        """Add a function that looks for it in a document. What it finds may have other codes, too."""
        self.finders.append(lambda document, _: find(document))
        return find

    def environment_finder(self, find: EnvironmentFinder) -> EnvironmentFinder:
        """Add a function that compares a document with its environment."""
        self.finders.append(find)
        return find


CHECKS: dict[str, Check] = {}
"All checks by code; complete once the package is imported."
