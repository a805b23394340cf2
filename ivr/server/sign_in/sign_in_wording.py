"""What the pages of sign-in say, in each language that they are written in."""

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

ENGLISH: Final = "en"


class Wording(Struct, frozen=True):
    """All texts of one language; `{name}` is the organisation, `{digits}` the end of the caller's number."""

    language: str
    sign_in: str
    ticket: str
    ticket_about: str
    ticket_label: str
    go_on: str
    wrong_ticket: str
    too_many: str
    confirm: str
    on_the_phone: str
    on_the_phone_number: str
    in_the_chat: str
    own_request: str
    confirmed: str
    code: str
    code_about: str
    warning: str
    code_lasts: str
    signed_in: str
    signed_in_about: str
    used: str
    used_about: str
    declined: str
    declined_about: str
    expired: str
    expired_about: str
    failed: str
    failed_about: str


_ENGLISH = Wording(
    ENGLISH,
    sign_in="Sign in",
    ticket="Enter your ticket",
    ticket_about="You were told a number of nine digits on the phone or in the chat.",
    ticket_label="Ticket, nine digits",
    go_on="Continue",
    wrong_ticket="There is no such ticket. It is good for ten minutes, and as long as the call lasts.",
    too_many="Too many wrong tickets were entered from here. Wait ten minutes.",
    confirm="Sign in for {name}?",
    on_the_phone="Are you on the phone with {name} now?",
    on_the_phone_number="Are you on the phone with {name} now, from a number that ends in {digits}?",
    in_the_chat="Did you ask for this in the chat with {name}?",
    own_request="If somebody else has sent you here, or has called you, close this page.",
    confirmed="Yes, sign in",
    code="Your code",
    code_about="Enter this code in the call or in the chat:",
    warning="Whoever is on the phone with this code gets access in your name. "
    "Do not read it to anybody who has called you.",
    code_lasts="It is good for five minutes, in this call alone.",
    signed_in="You are signed in",
    signed_in_about="You can close this page and go on in the call or in the chat.",
    used="This link is no longer good",
    used_about="It is good once, for ten minutes, and as long as the call lasts. Ask for another one in the call.",
    declined="You are not signed in",
    declined_about="You have declined. You can close this page.",
    expired="The time is over",
    expired_about="The call has ended, or it took too long. You are not signed in. You can begin again in the call.",
    failed="You are not signed in",
    failed_about="That did not work. You can begin again in the call.",
)

_GERMAN = Wording(
    "de",
    sign_in="Anmelden",
    ticket="Nummer eingeben",
    ticket_about="Am Telefon oder im Chat wurde Ihnen eine Nummer mit neun Ziffern genannt.",
    ticket_label="Nummer, neun Ziffern",
    go_on="Weiter",
    wrong_ticket="Diese Nummer gibt es nicht. Sie gilt zehn Minuten, und solange der Anruf dauert.",
    too_many="Von hier kamen zu viele falsche Nummern. Warten Sie zehn Minuten.",
    confirm="Für {name} anmelden?",
    on_the_phone="Telefonieren Sie gerade mit {name}?",
    on_the_phone_number="Telefonieren Sie gerade mit {name}, von einer Nummer, die auf {digits} endet?",
    in_the_chat="Haben Sie das im Chat mit {name} verlangt?",
    own_request="Wenn Sie jemand anderer hierher geschickt oder Sie angerufen hat, schließen Sie diese Seite.",
    confirmed="Ja, anmelden",
    code="Ihr Code",
    code_about="Geben Sie diesen Code im Anruf oder im Chat ein:",
    warning="Wer mit diesem Code am Telefon ist, bekommt Zugriff in Ihrem Namen. "
    "Lesen Sie ihn niemandem vor, der Sie angerufen hat.",
    code_lasts="Er gilt fünf Minuten, und nur in diesem Anruf.",
    signed_in="Sie sind angemeldet",
    signed_in_about="Sie können diese Seite schließen und im Anruf oder im Chat fortfahren.",
    used="Dieser Link gilt nicht mehr",
    used_about="Er gilt einmal, zehn Minuten lang, und solange der Anruf dauert. Verlangen Sie im Anruf einen neuen.",
    declined="Sie sind nicht angemeldet",
    declined_about="Sie haben abgelehnt. Sie können diese Seite schließen.",
    expired="Die Zeit ist um",
    expired_about="Der Anruf ist zu Ende, oder es hat zu lange gedauert. Sie sind nicht angemeldet. "
    "Im Anruf können Sie neu beginnen.",
    failed="Sie sind nicht angemeldet",
    failed_about="Das hat nicht geklappt. Im Anruf können Sie neu beginnen.",
)

WORDINGS: Final[Mapping[str, Wording]] = {one.language: one for one in (_ENGLISH, _GERMAN)}


def wording(language: str) -> Wording:
    """Return the texts of a language (BCP 47); English for one that there is none of."""
    return WORDINGS.get(language.partition("-")[0].lower(), _ENGLISH)


def accepted(header: str) -> Wording:
    """Return the texts of the first language of an `Accept-Language` that there is; its weights are not looked at."""
    for part in header[:200].split(","):
        language = part.partition(";")[0].strip().partition("-")[0].lower()
        if language in WORDINGS:
            return WORDINGS[language]
    return _ENGLISH
