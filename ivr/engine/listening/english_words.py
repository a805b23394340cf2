"""What English-speaking callers say in place of keys."""

from ivr.engine.expressions.forms.english import MONTHS, WEEKDAYS
from ivr.engine.listening.vocabulary import Vocabulary
from ivr.engine.numerals import english_numerals

ENGLISH = Vocabulary(
    cardinals=english_numerals.cardinals,
    ordinals=english_numerals.ordinals,
    scales=english_numerals.SCALES,
    joins=frozenset({"and", "a"}),
    point=frozenset({"point", "dot"}),
    ordinal_endings=frozenset({"st", "nd", "rd", "th"}),
    repeats={"double": 2, "triple": 3},
    majors=frozenset({"euro", "euros", "dollar", "dollars", "pound", "pounds", "francs", "franc", "€", "$", "£"}),
    minors=frozenset({"cent", "cents", "pence", "penny", "centimes", "p"}),
    months={
        **{name.lower(): number for number, name in enumerate(MONTHS, 1)},
        **{name[:3].lower(): number for number, name in enumerate(MONTHS, 1)},
        "sept": 9,
    },
    weekdays={name.lower(): number for number, name in enumerate(WEEKDAYS)},
    days={"today": 0, "tomorrow": 1, "dayaftertomorrow": 2, "yesterday": -1},
    in_dates=frozenset({"the", "of", "on", "next", "this", "coming", "/"}),
    fillers=frozenset({"please", "uh", "um", "er", "erm", "well", "so", "its", "it", "is", "number"}),
    yes=frozenset(
        {
            *("yes", "yeah", "yep", "yup", "yesyes", "sure", "ok", "okay", "alright", "allright", "correct", "right"),
            *("true", "exactly", "absolutely", "definitely", "certainly", "ofcourse", "thatscorrect", "thatsright"),
            *("thatcorrect", "thatright", "yesthatsright", "yesthatscorrect", "yesthatright", "yesthatcorrect"),
            *("yescorrect", "yesright", "yesido", "ido", "yessure", "yesofcourse", "yesexactly", "goahead", "aye"),
            *("yesmaam", "yessir", "yesok", "yesokay", "okyes", "okayyes", "ohyes", "iagree", "yesiagree"),
        }
    ),
    no=frozenset(
        {
            *("no", "nope", "nah", "nay", "nono", "wrong", "incorrect", "false", "never", "notcorrect", "notright"),
            *("thatsnotright", "thatsnotcorrect", "thatswrong", "thatsincorrect", "thatnotright", "thatnotcorrect"),
            *("thatwrong", "thatincorrect", "nothatswrong", "nothatsnotright", "nothatsnotcorrect", "nowrong"),
            *("nothatwrong", "nothatnotright", "nothatnotcorrect", "nothanks", "nothankyou", "notatall", "noway"),
            *("idont", "noidont", "idonot", "noidonot", "ohno", "notreally", "absolutelynot", "definitelynot"),
            *("certainlynot", "ofcoursenot", "idontagree", "noidontagree", "idisagree"),
        }
    ),
    apostrophe="",
)
