"""What callers say in German, and the keys that mean the same (`ask`, LANGUAGE C4)."""

from datetime import date

import pytest

from ivr.engine.spoken_answers import understood

TODAY = date(2026, 11, 24)
NUMBERS = [
    ("dreiundzwanzig", "23"),
    ("drei und zwanzig", "23"),
    ("zwo", "2"),
    ("vier zwei sieben", "427"),
    ("null fünf", "05"),
    ("hundertfünf", "105"),
    ("einhundertundfünf", "105"),
    ("zweihundertfünfunddreißig", "235"),
    ("zweihundert fünfunddreißig", "235"),
    ("tausend", "1000"),
    ("eintausendeins", "1001"),
    ("tausendundeins", "1001"),
    ("zweitausendsechsundzwanzig", "2026"),
    ("neunzehnhundertfünfundachtzig", "1985"),
    ("eine Million zweihunderttausend", "1200000"),
    ("zwölf Komma fünf", "12*5"),
    ("null Komma null fünf", "0*05"),
    ("1.204,5", "1204*5"),
    ("12,50 €", "12*50"),
    ("zwölf Euro fünfzig", "12*50"),
    ("zwölf Euro und fünfzig Cent", "12*50"),
    ("fünfzig Cent", "0*50"),
    ("dritter", "3"),
    ("der dritte", None),
    ("einundzwanzigster", "21"),
    ("Äh, also vierzig bitte.", "40"),
    ("keine Ahnung", None),
    ("minus zwei", None),
]
DATES = [
    ("vierundzwanzigster November", "24112026"),
    ("am vierundzwanzigsten November zweitausendsechsundzwanzig", "24112026"),
    ("der vierundzwanzigste elfte", "24112026"),
    ("der erste Jänner", "01012027"),
    ("24. Dezember 1985", "24121985"),
    ("24. Dezember neunzehnhundertfünfundachtzig", "24121985"),
    ("24.11.2026", "24112026"),
    ("24. 11.", "24112026"),
    ("Dienstag, 24. November", "24112026"),
    ("am dritten März", "03032027"),
    ("heute", "24112026"),
    ("morgen", "25112026"),
    ("übermorgen", "26112026"),
    ("nächsten Freitag", "27112026"),
    ("am Sonnabend", "28112026"),
    ("Montag, 24. November", None),
    ("31. Februar", None),
    ("irgendwann", None),
]
YES = ["Ja.", "ja bitte", "genau", "Das stimmt.", "ja, das ist richtig", "auf jeden Fall", "na klar"]
NO = ["Nein.", "nein danke", "das stimmt nicht", "Nein, das ist falsch.", "auf keinen Fall", "nö"]


@pytest.mark.parametrize(("words", "keys"), NUMBERS)
def test_a_german_number_is_understood(words: str, keys: str | None) -> None:
    assert understood(words, "number", "de-DE") == keys


@pytest.mark.parametrize(("words", "keys"), DATES)
def test_a_german_date_is_understood(words: str, keys: str | None) -> None:
    assert understood(words, "date", "de-AT", today=TODAY) == keys


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        *((words, "1") for words in YES),
        *((words, "2") for words in NO),
        *((words, None) for words in ("ja nein", "vielleicht", "ja, aber", "danke", "")),
    ],
)
def test_ja_and_nein_are_understood(words: str, keys: str | None) -> None:
    assert understood(words, "yesno", "de") == keys
