"""What callers say in Spanish, and the keys that mean the same (`ask`, LANGUAGE C4)."""

from datetime import date

import pytest

from ivr.engine.spoken_answers import understood

TODAY = date(2026, 11, 24)
NUMBERS = [
    ("veintitrés", "23"),
    ("veintitres", "23"),
    ("treinta y uno", "31"),
    ("cuatro dos siete", "427"),
    ("cero cinco", "05"),
    ("cien", "100"),
    ("ciento cinco", "105"),
    ("doscientas", "200"),
    ("quinientas una", "501"),
    ("mil", "1000"),
    ("dos mil veintiséis", "2026"),
    ("mil novecientos ochenta y cinco", "1985"),
    ("un millón doscientos mil", "1200000"),
    ("doce coma cinco", "12*5"),
    ("doce punto cinco", "12*5"),
    ("doce con cincuenta", "12*50"),
    ("12.045,5", "12045*5"),
    ("doce euros con cincuenta céntimos", "12*50"),
    ("doce euros cincuenta", "12*50"),
    ("cincuenta céntimos", "0*50"),
    ("tercero", "3"),
    ("3.º", "3"),
    ("cuarenta, por favor", "40"),
    ("Es el 42.", "42"),
    ("no sé", None),
    ("menos dos", None),
]
DATES = [
    ("veinticuatro de noviembre", "24112026"),
    ("el veinticuatro de noviembre de dos mil veintiséis", "24112026"),
    ("el primero de marzo", "01032027"),
    ("1 de marzo de 2027", "01032027"),
    ("24 de diciembre de 1985", "24121985"),
    ("24/11/2026", "24112026"),
    ("martes, 24 de noviembre", "24112026"),
    ("hoy", "24112026"),
    ("mañana", "25112026"),
    ("pasado mañana", "26112026"),
    ("el próximo viernes", "27112026"),
    ("lunes, 24 de noviembre", None),
    ("algún día", None),
]
YES = ["Sí.", "si", "sí, por favor", "claro que sí", "Eso es.", "sí, es correcto", "de acuerdo", "vale", "por supuesto"]
NO = ["No.", "no, gracias", "para nada", "No, no es correcto.", "por supuesto que no"]


@pytest.mark.parametrize(("words", "keys"), NUMBERS)
def test_a_spanish_number_is_understood(words: str, keys: str | None) -> None:
    assert understood(words, "number", "es-ES") == keys


def test_a_mexican_point_is_a_point() -> None:
    assert understood("1,204.5", "number", "es-MX") == "1204*5"


@pytest.mark.parametrize(("words", "keys"), DATES)
def test_a_spanish_date_is_understood(words: str, keys: str | None) -> None:
    assert understood(words, "date", "es-ES", today=TODAY) == keys


@pytest.mark.parametrize(
    ("words", "keys"),
    [
        *((words, "1") for words in YES),
        *((words, "2") for words in NO),
        *((words, None) for words in ("sí no", "quizás", "sí pero", "gracias", "")),
    ],
)
def test_si_and_no_are_understood(words: str, keys: str | None) -> None:
    assert understood(words, "yesno", "es") == keys
