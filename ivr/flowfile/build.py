"""The model to the flow that the machine runs: defaults filled in, names resolved, expressions compiled.

Only sound documents are built: the checks have told everything that could go wrong here.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from zoneinfo import ZoneInfo

from msgspec import Struct
from msgspec.structs import replace

from ivr.engine import flow
from ivr.engine import prompt as spoken
from ivr.engine.actions.base import Action
from ivr.engine.calendars import Calendar
from ivr.engine.expressions.compile import Expression, Template, compile_expression, compile_template
from ivr.engine.language_choice import among
from ivr.engine.naming import is_of_user
from ivr.engine.scope import PART
from ivr.engine.values import Value
from ivr.errors import FlowError
from ivr.flowfile import model
from ivr.flowfile.actions.transfer import addresses
from ivr.flowfile.assets import asset_id, is_address
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.card_parts import CardPart
from ivr.flowfile.card_pieces import members
from ivr.flowfile.document import Document
from ivr.flowfile.events import ends
from ivr.flowfile.model_parts import (
    AnyPart,
    AudioPart,
    Branch,
    ByLanguagePart,
    CarouselPart,
    ForeachPart,
    RecordingPart,
    RefPart,
    SilencePart,
)
from ivr.flowfile.opening_hours import CalendarWritten, calendar
from ivr.flowfile.prompts import referred
from ivr.flowfile.source import Path
from ivr.flowfile.texts import uses
from ivr.flowfile.variables import variables
from ivr.flowfile.zones import zone_of


class FlowSource(Struct, frozen=True):
    """A flow file to be built, with what was found of it outside of its text."""

    document: Document
    bundle: Bundle

    @property
    def zone(self) -> ZoneInfo:
        """Its time zone."""
        return zone_of(self.bundle.zone, self.bundle.zone_data)


def build(source: FlowSource, invoked: Mapping[str, FlowSource]) -> flow.Flow:
    """Build a flow; `invoked` has all flows that it invokes, and that those invoke, by their names.

    The states of an invoked flow are built in where it is invoked, once for each state that invokes it: so a call
    needs to know one flow, by one hash.
    """
    builder = _Builder(source)
    parts = _parts(source, invoked, "")
    inside = [(prefix, _Builder(part, prefix)) for prefix, part in parts]
    whole = builder.whole()
    shared = [part.variables for _, part in inside]
    return replace(
        whole,
        remembered=whole.remembered.union(*(part.user() for _, part in inside)),
        states={**whole.states, **{name: state for _, part in inside for name, state in part.states().items()}},
        variables={
            **{name: one for variables in shared for name, one in variables.items() if is_of_user(name)},
            **whole.variables,
            **{name: one for _, part in inside for name, one in part.own_variables().items()},
        },
        parts={prefix: part.as_part(whole) for prefix, part in inside},
    )


def _parts(source: FlowSource, invoked: Mapping[str, FlowSource], prefix: str) -> Iterator[tuple[str, FlowSource]]:
    """Go through the flows that the states of a flow invoke, each with its prefix, and those inside them."""
    for name, state in source.document.states():
        if state.invoke:
            part, inside = invoked[state.invoke.flow], f"{prefix}{name}{PART}"
            yield inside, part
            yield from _parts(part, invoked, inside)


class _Builder:
    def __init__(self, source: FlowSource, prefix: str = "") -> None:
        self.source = source
        self.prefix = prefix
        "What the names of its states begin with in the whole flow."
        document = source.document
        self.document = document
        self.model = document.model
        self.defaults = self.model.defaults
        self.commands = self.model.commands
        self.variables = variables(document)
        self.assets = {name: asset_id(data) for name, data in source.bundle.audio.items()}
        self.state_name: str | None = None
        "The state that is being built; None: none is."
        self.scopes = {name: tuple(written.scopes) for name, written in self.model.sign_ins.items()}
        self.destinations = addresses(self.model.destinations)
        self.places: dict[tuple[str | None, str], Path] = {}
        "Where each text with expressions stands, by state; one that stands twice in a state, where it is first."
        for use in uses(document):
            self.places.setdefault((use.state, use.text), use.path)

    def whole(self) -> flow.Flow:
        return flow.Flow(
            name=self.model.flow,
            hash=self.source.bundle.hash,
            initial=self.model.initial,
            states=self.states(),
            on=self.shared(),
            variables=self.variables,
            zone=self.source.zone,
            language=self.model.language,
            voice=self.model.voice,
            limits=flow.Limits(self.model.limits.duration, self.model.limits.turns),
            languages=tuple(self.model.languages or ()),
            description=self.model.description or "",
            goals=dict(self.model.goals),
            parameters=frozenset(name for name, written in self.model.variables.items() if written.parameter),
            calendars=self.calendars(),
            file=self.document.source.file,
            user=self.user(),
            remembered=frozenset(self.user()),
        )

    def user(self) -> Mapping[str, Value]:
        """Return what its variables of the caller are without a value."""
        return {name: one.default for name, one in self.variables.items() if is_of_user(name)}

    def calendars(self) -> Mapping[str, Calendar]:
        holidays = self.source.bundle.holidays
        return {
            name: calendar(written, self.zone(written), holidays.get(name, {}))
            for name, written in self.model.calendars.items()
        }

    def zone(self, written: CalendarWritten) -> ZoneInfo:
        named = written.time_zone
        return zone_of(named, self.source.bundle.zones[named]) if named else self.source.zone

    def as_part(self, whole: flow.Flow) -> flow.InvokedPart:
        """Build what an invoked flow is beside its states."""
        return flow.InvokedPart(
            flow=self.model.flow,
            initial=self.prefix + self.model.initial,
            states=self.document.names,
            on=self.shared(),
            zone=self.source.zone,
            language=whole.language,
            languages=whole.languages,
            calendars=self.calendars(),
            defaults={name: one.default for name, one in self.own_variables().items() if one.has_default},
            file=self.document.source.file,
            user=self.user(),
        )

    def states(self) -> Mapping[str, flow.State]:
        return {self.prefix + name: self.state(name, state) for name, state in self.document.states()}

    def shared(self) -> Mapping[str, flow.Branches]:
        return {event: self.branches(handler.branches) for event, handler in self.document.shared.items()}

    def own_variables(self) -> Mapping[str, flow.Variable]:
        own = ((name, one) for name, one in self.variables.items() if not is_of_user(name))
        return {self.prefix + name: replace(one, name=self.prefix + name) for name, one in own}

    def state(self, name: str, state: model.State) -> flow.State:
        self.state_name = name
        handlers = self.document.handlers[name]
        built = flow.State(
            name=self.prefix + name,
            action=self.action(name, state),
            on={event: self.branches(handler.branches) for event, handler in handlers.items()},
            set=self.assignments(state.set),
            final=ends(state) and not (self.prefix and state.return_),
            outcome=state.outcome,
            milestone=state.milestone,
            line=self.document.line("states", name),
            prefix=self.prefix,
        )
        self.state_name = None
        return built

    # --- actions ---

    def action(self, name: str, state: model.State) -> Action:
        if not state.actions:
            raise FlowError(f'the state "{name}" has no action that can be built')  # a bundle of a later release
        return state.actions[0].build(name, self)

    # --- transitions and prompts ---

    def branches(self, branches: Iterable[Branch]) -> flow.Branches:
        return tuple(
            flow.Branch(
                branch.target if branch.target == flow.SELF else self.prefix + branch.target,
                guard=self.guard(branch.guard),
                set=self.assignments(branch.set),
                say=self.prompt(branch.say),
            )
            for branch in branches
        )

    def prompt(self, parts: Sequence[AnyPart] | None) -> spoken.Prompt:
        return tuple(self.part(part) for part in parts or ())

    def part(self, part: AnyPart) -> spoken.Part:
        guard = self.guard(part.guard)
        if isinstance(part, SilencePart):
            return spoken.SilencePart(round(part.silence * 1000), guard)
        if isinstance(part, ByLanguagePart):
            languages = self.model.all_languages
            prompts = {among(key, languages) or key: self.prompt(prompt) for key, prompt in part.prompts.items()}
            return spoken.ByLanguagePart(prompts, self.declared(part.language), guard)
        if isinstance(part, RefPart):
            return spoken.ReferredPart(self.prompt(referred(self.document, part)), self.declared(part.language), guard)
        if isinstance(part, ForeachPart):
            return spoken.ForeachPart(self.expression(part.foreach), part.item, self.prompt(part.text), guard)
        if isinstance(part, RecordingPart):
            return spoken.RecordingPart(self.expression(part.recording), guard)
        if isinstance(part, AudioPart):
            text = self.template(part.text) if part.text else None
            if is_address(part.audio):
                return spoken.AudioPart(url=part.audio, text=text, guard=guard)
            return spoken.AudioPart(asset=self.assets[part.audio], text=text, guard=guard)
        if isinstance(part, CarouselPart):
            return spoken.CarouselPart(self.prompt(part.carousel), guard)
        if isinstance(part, CardPart):
            manner = (part.voice or self.model.voice, part.language, part.say_as, part.emphasize)
            return spoken.CardPart(members(part, self), *manner, guard)
        return spoken.TextPart(
            self.template(part.text),
            voice=part.voice or self.model.voice,
            language=part.language,
            say_as=part.say_as,
            emphasize=part.emphasize,
            guard=guard,
            markup=part.markup,
        )

    def declared(self, language: str | None) -> str | None:
        return language and (among(language, self.model.all_languages) or language)

    # --- expressions ---

    def guard(self, text: str | None) -> Expression | None:
        return None if text is None else self.expression(text)

    def expression(self, text: str) -> Expression:
        expression = compile_expression(text)
        self.place(expression)
        return expression

    def assignments(self, written: Mapping[str, str]) -> tuple[flow.Assignment, ...]:
        return tuple(flow.Assignment(variable, self.template(text)) for variable, text in written.items())

    def template(self, text: str) -> Template:
        template = compile_template(text)
        for expression in template.expressions:
            self.place(expression)
        return template

    def is_plain(self, path: Path) -> bool:
        return self.document.source.is_plain(path)

    def place(self, expression: Expression) -> None:
        """Set an expression's line, so that a call in which it has no value can name it; of another file, none."""
        text = expression.source
        path = self.places.get((self.state_name, text)) or self.places.get((None, text), ())
        source = self.document.source
        place = source.place(source.within(path, expression.offset, 1).line)
        expression.line = place.line if place.file == source.file else 0
