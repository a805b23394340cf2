"""What English-speaking callers say in place of keys."""

from ivr.engine.expressions.forms.english import MONTHS, WEEKDAYS
from ivr.engine.listening.vocabulary import Vocabulary, named, phrases, words
from ivr.engine.numerals import english_numerals

ENGLISH = Vocabulary(
    cardinals=english_numerals.cardinals,
    ordinals=english_numerals.ordinals,
    scales=english_numerals.SCALES,
    joins=words("and a"),
    point=words("point dot"),
    ordinal_endings=words("st nd rd th"),
    repeats={"double": 2, "triple": 3},
    majors=words("euro euros dollar dollars pound pounds franc francs yen € $ £"),
    minors=words("cent cents pence penny p centime centimes"),
    months={**named(MONTHS, 1), **named([name[:3] for name in MONTHS], 1), "sept": 9},
    weekdays=named(WEEKDAYS, 0),
    days={"today": 0, "tomorrow": 1, "day after tomorrow": 2, "yesterday": -1},
    in_dates=words("the of on next this coming /"),
    fillers=words("please uh um er erm well so its it is number thats that thank thanks you maam sir"),
    yes=phrases(
        "yes, yeah, yep, yup, aye, sure, ok, okay, alright, all right, correct, right, true, exactly, absolutely,"
        "definitely, certainly, of course, i do, i agree, go ahead, oh yes, yes indeed, affirmative"
    ),
    no=phrases(
        "no, nope, nah, nay, wrong, incorrect, false, never, not correct, not right, not at all, no way, not really,"
        "i dont, i do not, i dont agree, i disagree, oh no, absolutely not, definitely not, certainly not,"
        "of course not, negative"
    ),
    apostrophe="",
)
