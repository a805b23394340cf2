"""What German-speaking callers say in place of keys."""

from ivr.engine.expressions.forms.german import MONTHS, WEEKDAYS
from ivr.engine.listening.vocabulary import Vocabulary, named, phrases, words
from ivr.engine.numerals import german_numerals

GERMAN = Vocabulary(
    cardinals=german_numerals.cardinals,
    ordinals=german_numerals.ordinals,
    scales=german_numerals.SCALES,
    joins=words("und"),
    point=words("Komma Punkt"),
    ordinal_endings=words(". te ten ter ste sten ster"),
    repeats={"doppel": 2},
    majors=words("Euro Euros Dollar Pfund Franken Yen € $ £"),
    minors=words("Cent Cents Rappen Pence Penny"),
    months={**named(MONTHS, 1), **named([name[:3] for name in MONTHS], 1), "janner": 1, "jaenner": 1, "feber": 2},
    weekdays={**named(WEEKDAYS, 0), "sonnabend": 5},
    days={"heute": 0, "morgen": 1, "übermorgen": 2, "gestern": -1},
    in_dates=words("der den dem des am vom im Jahr Jahre Jahres nächsten nächster nächste kommenden diesen dieser /"),
    fillers=words("bitte danke äh ähm ehm hm also das ist es sind die Nummer schön"),
    yes=phrases(
        "ja, jawohl, jo, jep, jup, genau, richtig, stimmt, korrekt, ok, okay, gern, gerne, sehr gern, sehr gerne,"
        "natürlich, klar, na klar, sicher, selbstverständlich, freilich, auf jeden fall, alles klar, in ordnung, doch,"
        "einverstanden, ich stimme zu, passt, unbedingt, so ist es, ganz genau"
    ),
    no=phrases(
        "nein, nee, ne, nö, na, falsch, nicht richtig, stimmt nicht, nicht korrekt, auf keinen fall, keinesfalls, nie,"
        "niemals, lieber nicht, gar nicht, überhaupt nicht, nicht einverstanden, ich stimme nicht zu, passt nicht,"
        "natürlich nicht, sicher nicht, inkorrekt, ganz falsch"
    ),
)
