"""What French-speaking callers say in place of keys."""

from ivr.engine.expressions.forms.french import MONTHS, WEEKDAYS
from ivr.engine.listening.vocabulary import Vocabulary, named, phrases, words
from ivr.engine.numerals import french_numerals

FRENCH = Vocabulary(
    cardinals=french_numerals.cardinals,
    ordinals=french_numerals.ordinals,
    scales=french_numerals.SCALES,
    joins=words("et"),
    point=words("virgule point"),
    ordinal_endings=words("er re e eme ème ième nd nde"),
    repeats={"double": 2, "triple": 3},
    majors=words("euro euros dollar dollars franc francs livre livres yen yens € $ £"),
    minors=words("centime centimes cents pence penny"),
    months=named(MONTHS, 1),
    weekdays=named(WEEKDAYS, 0),
    days={"aujourd'hui": 0, "demain": 1, "après-demain": 2, "hier": -1},
    in_dates=words("le du l an en prochain ce /"),
    fillers=words("s il vous te plaît merci euh ben bah alors c est le la les numéro d de"),
    yes=phrases(
        "oui, ouais, si, d'accord, exact, exactement, correct, c'est ça, bien sûr, tout à fait, ok, okay, volontiers,"
        "certainement, absolument, effectivement, juste, vrai, bien entendu, bien sûr que oui, c'est bien ça"
    ),
    no=phrases(
        "non, nan, pas du tout, pas d'accord, faux, incorrect, jamais, surtout pas, bien sûr que non, pas exact,"
        "pas correct, pas ça, ce n'est pas ça, ce n'est pas correct, ce n'est pas exact, pas vraiment, absolument pas"
    ),
)
