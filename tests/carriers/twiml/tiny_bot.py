"""A TwiML bot on a page, which is not ours: a menu, a recording, a transfer; it checks as the vendor's library does."""

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import parse_qsl, urlsplit

from twilio.request_validator import RequestValidator, get_signature_algorithm
from twilio.twiml.voice_response import VoiceResponse

from ivr.carriers.bot import BotFailed, BotReply, BotRequest
from ivr.carriers.twiml.carrier_account import CarrierAccount
from ivr.carriers.twiml.signing import TokenSigner
from ivr.carriers.twiml.twiml_carrier import SIMULATED
from ivr.carriers.twiml.twiml_profile import PROFILES, TwimlProfile
from ivr.phone.callers.turn_based import CallerAction, Situation, TurnBased
from ivr.phone.phone_events import Done, PhoneEvent, PromptBegan

TOKEN = "a-secret-of-the-account"
SID = "AC" + "0" * 32
BOT = "https://bot.example"
Page = Callable[[dict[str, str]], str]


def menu(_: Mapping[str, str]) -> str:
    answer = VoiceResponse()
    gather = answer.gather(action="/chosen", num_digits=1, timeout=4, input="dtmf speech", hints="sales, support")
    gather.say("Press 1 for sales, or 2 for support.")
    answer.say("I did not hear you.")
    answer.redirect("/call")
    return str(answer)


def chosen(form: Mapping[str, str]) -> str:
    answer = VoiceResponse()
    said = form.get("Digits") or form.get("SpeechResult")
    if said in ("1", "sales"):
        answer.say("Leave a message.")
        answer.record(action="/recorded", max_length=30, timeout=3, finish_on_key="#", recording_status_callback="/rec")
        answer.say("Nothing was recorded.")
    elif said in ("2", "support"):
        answer.dial("+4930123", action="/dialled", timeout=15)
    else:
        answer.reject()
    return str(answer)


def recorded(form: Mapping[str, str]) -> str:
    answer = VoiceResponse()
    answer.say(f"Thank you for {form['RecordingDuration']} seconds.")
    answer.hangup()
    return str(answer)


def dialled(form: Mapping[str, str]) -> str:
    answer = VoiceResponse()
    answer.say(f"The other side: {form['DialCallStatus']}.")
    return str(answer)


PAGES: Mapping[str, Page] = {"/call": menu, "/chosen": chosen, "/recorded": recorded, "/dialled": dialled}


class TinyBot:
    """Answers in this process (`ivr.carriers.bot.Bot`)."""

    def __init__(self, pages: Mapping[str, Page] = PAGES, *, token: str = TOKEN, checks: bool = True) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        "What was accepted: path and form."
        self.raw: list[BotRequest] = []
        self.refused = 0
        self.fails: deque[BotFailed] = deque()
        self._pages = {"/status": lambda _: "", "/rec": lambda _: "", **pages}
        self._validator = RequestValidator(token)
        self._checks = checks

    async def send(self, request: BotRequest, *, within: float) -> BotReply:
        self.raw.append(request)
        if self.fails:
            raise self.fails.popleft()
        query = dict(parse_qsl(urlsplit(request.url).query, keep_blank_values=True))
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        headers = dict(request.headers)
        algorithm = get_signature_algorithm(headers.get("X-Twilio-Webhooks-Signature-Settings"))
        signature = headers.get("X-Twilio-Signature", "")
        if self._checks and not self._validator.validate(request.url, form, signature, algorithm):
            self.refused += 1
            return BotReply(403, "", b"")
        path = urlsplit(request.url).path
        self.requests.append((path, {**query, **form}))
        page = self._pages.get(path)
        if page is None:
            return BotReply(404, "text/plain", b"not here")
        return BotReply(200, "text/xml", page({**query, **form}).encode())

    def forms(self, path: str) -> list[dict[str, str]]:
        return [form for asked, form in self.requests if asked == path]

    @property
    def paths(self) -> list[str]:
        return [path for path, _ in self.requests]


class Acts:
    """A person who does one thing at each question, in order; None: is silent (`ivr.phone…turn_based.Person`)."""

    def __init__(self, *actions: CallerAction | None) -> None:
        self.heard: list[str] = []
        self.events: list[PhoneEvent] = []
        self._actions = deque(actions)
        self._waits = False

    def tell(self, event: PhoneEvent) -> None:
        self.events.append(event)
        if isinstance(event, PromptBegan):
            self.heard.append(event.text)
        if isinstance(event, Done):
            self._waits = False

    async def act(self, situation: Situation) -> CallerAction | None:
        if situation.transfer is not None:
            return self._actions.popleft() if self._actions else None
        if situation.prompt or situation.listening is None or self._waits:
            return None
        self._waits = True
        return self._actions.popleft() if self._actions else None


def account(profile: str | TwimlProfile = "twilio", *, ids: Sequence[str] = ()) -> CarrierAccount:
    chosen_profile = PROFILES[profile] if isinstance(profile, str) else profile
    numbers = iter(range(1, 1_000_000))
    drawn = iter(ids)
    return CarrierAccount(
        chosen_profile,
        sid=SID,
        token=TOKEN,
        signer=TokenSigner(TOKEN),
        api="https://api.carrier.example",
        new_id=lambda: next(drawn, None) or f"{next(numbers):032x}",
    )


def on_the_phone(person: Acts) -> TurnBased:
    return TurnBased(person, SIMULATED)
