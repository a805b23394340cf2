"""What callers say in French, and the keys that mean the same (`ask`, LANGUAGE C4)."""

from datetime import date

import pytest

from ivr.engine.spoken_answers import understood

TODAY = date(2026, 11, 24)
NUMBERS = [
    ("vingt-trois", "23"),
    ("vingt et un", "21"),
    ("soixante et onze", "71"),
    ("quatre-vingt-dix-sept", "97"),
    ("quatre vingts", "80"),
    ("septante-deux", "72"),
    ("huitante", "80"),
    ("nonante-neuf", "99"),
    ("zéro six douze trente-quatre cinquante-six soixante-dix-huit", "0612345678"),
    ("zero six", "06"),
    ("cent deux", "102"),
    ("deux cents", "200"),
    ("mille", "1000"),
    ("deux mille vingt-six", "2026"),
    ("mille neuf cent quatre-vingt-cinq", "1985"),
    ("dix-neuf cent quatre-vingt-cinq", "1985"),
    ("un million deux cent mille", "1200000"),
    ("douze virgule cinq", "12*5"),
    ("1 204,5", "1204*5"),
    ("douze euros cinquante", "12*50"),
    ("douze euros et cinquante centimes", "12*50"),
    ("cinquante centimes", "0*50"),
    ("troisième", "3"),
    ("quarante, s'il vous plaît", "40"),
    ("C'est le 42.", "42"),
    ("je ne sais pas", None),
    ("moins deux", None),
]
DATES = [
    ("vingt-quatre novembre", "24112026"),
    ("le vingt-quatre novembre deux mille vingt-six", "24112026"),
    ("le premier mars", "01032027"),
    ("1er mars 2027", "01032027"),
    ("24 décembre 1985", "24121985"),
    ("24/11/2026", "24112026"),
    ("mardi 24 novembre", "24112026"),
    ("aujourd'hui", "24112026"),
    ("aujourd’hui", "24112026"),
    ("demain", "25112026"),
    ("après-demain", "26112026"),
    ("vendredi prochain", "27112026"),
    ("lundi 24 novembre", None),
    ("un jour", None),
]
YES = ["Oui.", "oui s'il vous plaît", "d'accord", "C'est ça.", "oui, c'est exact", "bien sûr", "tout à fait"]
NO = ["Non.", "non merci", "pas du tout", "Non, ce n'est pas ça.", "c'est faux"]


@pytest.mark.parametrize(("words", "keys"), NUMBERS)
def test_a_french_number_is_understood(words: str, keys: str | None) -> None:
    assert understood(words, "number", "fr-FR") == keys


@pytest.mark.parametrize(("words", "keys"), DATES)
def test_a_french_date_is_understood(words: str, keys: str | None) -> None:
    assert understood(words, "date", "fr-FR", today=TODAY) == keys


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        *((words, "1") for words in YES),
        *((words, "2") for words in NO),
        *((words, None) for words in ("oui non", "peut-être", "oui mais", "merci", "")),
    ],
)
def test_oui_and_non_are_understood(words: str, keys: str | None) -> None:
    assert understood(words, "yesno", "fr") == keys
