"""The model to the flow that the machine runs: defaults filled in, names resolved, expressions compiled.

Only sound documents are built: the checks have told everything that could go wrong here.
"""

from collections.abc import Iterable, Mapping, Sequence
from zoneinfo import ZoneInfo

from ivr.engine import flow
from ivr.engine import prompt as spoken
from ivr.engine.actions.base import Action
from ivr.engine.expressions.compile import Expression, Template, compile_expression, compile_template
from ivr.engine.language_choice import among
from ivr.errors import FlowError
from ivr.flowfile import model
from ivr.flowfile.actions.transfer import addresses
from ivr.flowfile.assets import asset_id, is_address
from ivr.flowfile.bundle import Bundle
from ivr.flowfile.document import Document
from ivr.flowfile.events import ends
from ivr.flowfile.model_parts import AnyPart, AudioPart, Branch, ByLanguagePart, ForeachPart, RefPart, SilencePart
from ivr.flowfile.opening_hours import CalendarWritten, calendar
from ivr.flowfile.prompts import referred
from ivr.flowfile.source import Path
from ivr.flowfile.texts import uses
from ivr.flowfile.variables import variables
from ivr.flowfile.zones import zone_of


def build(document: Document, bundle: Bundle) -> flow.Flow:
    """Build a flow of its document and of all else that its bundle holds."""
    return _Builder(document, {name: asset_id(data) for name, data in bundle.audio.items()}).whole(bundle)


class _Builder:
    def __init__(self, document: Document, assets: Mapping[str, str]) -> None:
        self.document = document
        self.model = document.model
        self.defaults = self.model.defaults
        self.variables = variables(document)
        self.assets = assets
        self.state_name: str | None = None
        "The state that is being built; None: none is."
        self.destinations = addresses(self.model.destinations)
        self.places: dict[tuple[str | None, str], Path] = {}
        "Where each text with expressions stands, by state; one that stands twice in a state, where it is first."
        for use in uses(document):
            self.places.setdefault((use.state, use.text), use.path)

    def whole(self, bundle: Bundle) -> flow.Flow:
        zone = zone_of(bundle.zone, bundle.zone_data)
        return flow.Flow(
            name=self.model.flow,
            hash=bundle.hash,
            initial=self.model.initial,
            states={name: self.state(name, state) for name, state in self.document.states()},
            on={event: self.branches(handler.branches) for event, handler in self.document.shared.items()},
            variables=self.variables,
            zone=zone,
            language=self.model.language,
            voice=self.model.voice,
            limits=flow.Limits(self.model.limits.duration, self.model.limits.turns),
            languages=tuple(self.model.languages or ()),
            description=self.model.description or "",
            goals=dict(self.model.goals),
            calendars={
                name: calendar(written, self.zone(written, zone, bundle), bundle.holidays.get(name, {}))
                for name, written in self.model.calendars.items()
            },
            file=self.document.source.file,
        )

    def zone(self, written: CalendarWritten, default: ZoneInfo, bundle: Bundle) -> ZoneInfo:
        return zone_of(written.time_zone, bundle.zones[written.time_zone]) if written.time_zone else default

    def state(self, name: str, state: model.State) -> flow.State:
        self.state_name = name
        handlers = self.document.handlers[name]
        built = flow.State(
            name=name,
            action=self.action(name, state),
            on={event: self.branches(handler.branches) for event, handler in handlers.items()},
            set=self.assignments(state.set),
            final=ends(state),
            outcome=state.outcome,
            milestone=state.milestone,
            line=self.document.line("states", name),
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
                branch.target,
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
        if isinstance(part, AudioPart):
            text = self.template(part.text) if part.text else None
            if is_address(part.audio):
                return spoken.AudioPart(url=part.audio, text=text, guard=guard)
            return spoken.AudioPart(asset=self.assets[part.audio], text=text, guard=guard)
        return spoken.TextPart(
            self.template(part.text),
            voice=part.voice or self.model.voice,
            language=part.language,
            say_as=part.say_as,
            emphasize=part.emphasize,
            guard=guard,
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

    def place(self, expression: Expression) -> None:
        """Set an expression's line, so that a call in which it has no value can name it; of another file, none."""
        text = expression.source
        path = self.places.get((self.state_name, text)) or self.places.get((None, text), ())
        source = self.document.source
        place = source.place(source.within(path, expression.offset, 1).line)
        expression.line = place.line if place.file == source.file else 0
