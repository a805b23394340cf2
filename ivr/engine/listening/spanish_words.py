"""What Spanish-speaking callers say in place of keys."""

from ivr.engine.expressions.forms.spanish import MONTHS, WEEKDAYS
from ivr.engine.listening.vocabulary import Vocabulary, named, phrases, words
from ivr.engine.numerals import spanish_numerals

SPANISH = Vocabulary(
    cardinals=spanish_numerals.cardinals,
    ordinals=spanish_numerals.ordinals,
    scales={"mil": 1_000, "millon": 1_000_000, "millones": 1_000_000},
    joins=words("y con"),
    point=words("coma punto con"),
    ordinal_endings=words(".º .ª º ª .o .a o a er ro do to"),
    repeats={"doble": 2, "triple": 3},
    majors=words("euro euros dólar dólares peso pesos libra libras franco francos yen yenes € $ £"),
    minors=words("céntimo céntimos centavo centavos penique peniques"),
    months={**named(MONTHS, 1), "setiembre": 9},
    weekdays=named(WEEKDAYS, 0),
    days={"hoy": 0, "mañana": 1, "pasado mañana": 2, "ayer": -1},
    in_dates=words("el del de próximo este año /"),
    fillers=words("por favor gracias muchas eh este pues es el la número de"),
    yes=phrases(
        "sí, claro, correcto, exacto, exactamente, vale, de acuerdo, bueno, por supuesto, así es, eso es, afirmativo,"
        "ok, okay, claro que sí, desde luego, efectivamente, seguro, cierto, está bien, perfecto, verdad"
    ),
    no=phrases(
        "no, para nada, incorrecto, falso, nunca, negativo, de ninguna manera, no es correcto, no es así, claro que no,"
        "por supuesto que no, en absoluto, tampoco, desde luego que no, no es cierto, no está bien"
    ),
)
