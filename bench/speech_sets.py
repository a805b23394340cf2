"""What is said to the speech engines and what they are offered: phrases of menus, and sentences to write down."""

from collections.abc import Mapping

from msgspec import Struct, field


class PhraseSet(Struct, frozen=True):
    """The choices of one question, and what people say to it."""

    name: str
    phrases: tuple[str, ...]
    "Offered to the engine, all of them each time."
    said: tuple[tuple[str, str], ...]
    "Words that are spoken, and the phrase that is meant by them."
    strange: tuple[str, ...]
    "Spoken where none of the phrases is meant."
    same: Mapping[str, str] = field(default_factory=dict)
    "Phrases that lead to the same place as another one: a flow's guard asks for the meaning, not for the word."

    def meaning(self, phrase: str | None) -> str | None:
        """Return what a phrase stands for; None: nothing was understood."""
        return phrase if phrase is None else self.same.get(phrase, phrase)


def as_listed(*phrases: str) -> tuple[tuple[str, str], ...]:
    """Return phrases that are said exactly as they are offered."""
    return tuple((phrase, phrase) for phrase in phrases)


STRANGE = (
    *("what is the weather like today", "purple elephants", "can you hear me", "the quick brown fox", "my dog is ill"),
    *("hold on a second", "turn left at the church", "seven apples and a pear"),
)
YES_AND_NO = ("yes", "yeah", "yes please", "no", "nope", "no thanks")
DIGITS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
MENU = (
    *("sales", "technical support", "billing", "opening hours", "lost luggage", "new reservation"),
    *("cancel my order", "talk to an agent", "account balance", "change my address", "flight times", "main menu"),
    *("john smith", "maria garcia", "doctor miller", "customer service", "shipping", "returns", "warranty", "jobs"),
)
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
TIMES = ("nine a m", "ten thirty a m", "noon", "two p m", "four fifteen p m", "half past five")
DATES = tuple(f"{day} at {hour}" for day in DAYS for hour in TIMES)
_DATES = (
    *("january first", "february fourteenth", "march third", "april twenty second", "may ninth", "june thirtieth"),
    *("july fourth", "august fifteenth", "september eleventh", "october fifth", "november twelfth"),
    "december thirty first",
)
_NAMES = (
    *("anna fischer", "peter novak", "olivia brown", "james o'connor", "mei chen", "rajesh patel", "sofia rossi"),
    *("thomas schmidt", "emily clark", "ahmed hassan", "lucy wright", "david cohen", "nina petrova"),
    *("carlos mendez", "grace kelly", "william turner"),
)
_PLACES = (
    *("a one", "b two", "c three", "d four", "gate twelve", "gate twenty", "terminal three", "seat fourteen b"),
    *("room two zero five", "alpha", "bravo", "charlie", "delta", "echo"),
)

SETS = (
    PhraseSet(
        "yes or no",
        YES_AND_NO,
        as_listed(*YES_AND_NO),
        STRANGE,
        {"yeah": "yes", "yes please": "yes", "nope": "no", "no thanks": "no"},
    ),
    PhraseSet("digit", DIGITS, as_listed(*DIGITS), STRANGE),
    PhraseSet("menu of twenty", MENU, as_listed(*MENU), STRANGE),
    # 42 are offered, every fourth of them is said.
    PhraseSet("day and time", DATES, as_listed(*DATES[::4]), STRANGE),
)

HELD_OUT = (
    PhraseSet(
        "held out: a bank",
        (
            *("balance", "transfer money", "lost or stolen card", "mortgages", "savings account", "report a fraud"),
            *("travel insurance", "opening an account", "change my pin", "speak to an adviser", "branch locations"),
            "something else",
        ),
        (
            *as_listed("balance", "transfer money", "lost or stolen card", "mortgages", "savings account"),
            *as_listed("report a fraud", "travel insurance", "opening an account", "change my pin"),
            *as_listed("speak to an adviser", "branch locations", "something else"),
            ("i'd like to transfer money please", "transfer money"),
            ("my balance please", "balance"),
            ("mortgages thanks", "mortgages"),
            ("i want to report a fraud", "report a fraud"),
            ("the savings account", "savings account"),
            ("er travel insurance", "travel insurance"),
            ("can i speak to an adviser", "speak to an adviser"),
            ("it's about opening an account", "opening an account"),
        ),
        (
            *("what is the time", "i cannot hear you", "balloons", "my cards are on the table", "it is raining"),
            *("open the window", "a pint of milk", "bananas", "say that again please", "hold the line"),
            *("you have reached the wrong number", "palace"),
        ),
    ),
    PhraseSet(
        "held out: yes or no",
        ("yes", "no"),
        (
            *as_listed("yes", "no"),
            *(("yes please", "yes"), ("no thank you", "no"), ("yes i do", "yes")),
            *(("no i do not", "no"), ("oh yes", "yes"), ("um no", "no")),
        ),
        ("maybe", "now", "i am not sure", "yesterday", "nobody", "what", "guess", "less", "snow", "hello"),
    ),
    PhraseSet(
        "held out: a digit",
        DIGITS,
        as_listed(*DIGITS),
        ("eleven", "ten", "forty", "tree house", "sick", "heaven", "none", "fine", "to the left", "another time"),
    ),
    PhraseSet(
        "held out: dates",
        _DATES,
        (
            *as_listed(*_DATES),
            *(("july fourth please", "july fourth"), ("on march third", "march third")),
            ("i would like may ninth", "may ninth"),
        ),
        ("next tuesday", "some time in summer", "i may come", "the fourth of never", "march on", "tomorrow morning"),
    ),
    PhraseSet(
        "held out: names",
        _NAMES,
        (
            *as_listed(*_NAMES),
            *(("olivia brown please", "olivia brown"), ("can i talk to david cohen", "david cohen")),
            *(("i'm calling for emily clark", "emily clark"), ("william turner in accounts", "william turner")),
        ),
        (
            *("robert miller", "susan jones", "karl marx", "mary poppins", "the boss", "henry ford"),
            *("a brown table", "turn right"),
        ),
    ),
    PhraseSet(
        "held out: letters and numbers",
        _PLACES,
        (
            *as_listed(*_PLACES),
            *(("gate twelve please", "gate twelve"), ("it is room two zero five", "room two zero five")),
        ),
        ("gate thirty", "zulu", "the waiting room", "my seat is broken", "a while ago", "be quiet"),
    ),
)
"On which no threshold was set: these tell what to expect of a new flow."

TEXTS = (
    "my flight was two hours late and nobody told us why",
    "please call me back tomorrow morning before eleven",
    "i would like to change the address of my account",
    "the printer does not work since the last update",
    "i left a black bag on the train to the airport",
    "my name is helen carter and my number is five five five oh one nine two",
    "the invoice from march the third is wrong it says four hundred and twenty dollars",
    "can somebody bring two more chairs to room three one seven please",
    "our heating has been off since last night and it is getting cold",
    "tell david that the meeting is at half past nine on thursday",
)

NUMBERS = (
    *(
        "four one seven two",
        "nine zero five eight six",
        "three three one eight zero seven",
        "oh two oh four six nine five",
    ),
    *(
        "five five five zero one nine two",
        "eight six seven five three zero nine",
        "one two three four five six seven eight",
    ),
    *("six oh two nine nine four one three", "two one two five five five seven eight three six"),
)
"Digit by digit, from four to ten of them."

PROMPTS = (
    "Welcome to Harbour Travel. This call may be recorded for training.",
    "For bookings, press 1 or say bookings. For anything else, stay on the line.",
    "Sorry, I did not understand that. Please say the name of the department.",
    "Your reservation number is 4 7 2 9 0.",
    "Your flight on Thursday, March 5 leaves at 10:30 AM from gate 14.",
    "The balance of your account is 1,284 dollars and 50 cents.",
    "Please leave a message after the tone, and press the pound key when you are done.",
    "Thank you for calling. Goodbye.",
)
"Spoken by each voice."
