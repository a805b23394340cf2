"""A bot of Plivo XML, which is not ours: documents by the vendor's classes, signatures by its validator."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, urlsplit

import plivo.xml as vendor
from plivo.utils import validate_v3_signature

from ivr.carriers.bot import BotReply, BotRequest

BOT = "https://bot.example"
TOKEN = "a-token"


def menu(base: str) -> str:
    response = vendor.ResponseElement()
    question = vendor.GetInputElement(
        action=f"{base}/chosen", method="POST", input_type="dtmf speech", execution_timeout=5, digit_end_timeout="2",
        num_digits=2, finish_on_key="#", hints="sales,support", redirect=True,
    )  # fmt: skip
    question.add(vendor.SpeakElement("Press 1 for sales, or 2 for support."))
    response.add(question).add(vendor.SpeakElement("I did not hear you."))
    response.add(vendor.RedirectElement(f"{base}/call"))
    return str(response.to_string(False))


def chosen(base: str, form: Mapping[str, str]) -> str:
    response, said = vendor.ResponseElement(), form.get("Digits") or form.get("Speech")
    if said in ("1", "sales"):
        response.add(vendor.SpeakElement("Leave a message."))
        response.add(
            vendor.RecordElement(
                action=f"{base}/recorded", method="POST", max_length=30, timeout=3, callback_url=f"{base}/kept"
            )
        )
    elif said == "2":
        dial = vendor.DialElement(action=f"{base}/dialled", timeout=15, callback_url=f"{base}/progress")
        response.add(dial.add(vendor.NumberElement("4930123")))
    else:
        response.add(vendor.HangupElement(reason="busy"))
    return str(response.to_string(False))


class PlivoBot:
    """Checks as the vendor's package does, and answers with its classes."""

    def __init__(self, first: str | None = None, *, token: str = TOKEN) -> None:
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.refused = 0
        self._first = first
        self._token = token

    async def send(self, request: BotRequest, *, within: float) -> BotReply:
        headers = dict(request.headers)
        form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
        given, nonce = headers.get("X-Plivo-Signature-V3", ""), headers.get("X-Plivo-Signature-V3-Nonce", "")
        if not given or not validate_v3_signature("POST", request.url, nonce, self._token, given, dict(form)):
            self.refused += 1
            return BotReply(403, "text/plain", b"")
        path = urlsplit(request.url).path
        self.requests.append((path, form))
        base = request.url.removesuffix(path)
        page = {"/call": self._first or menu(base), "/chosen": chosen(base, form)}.get(path, "<Response/>")
        return BotReply(200, "text/xml", page.encode())

    def forms(self, path: str) -> list[dict[str, str]]:
        return [form for one, form in self.requests if one == path]
