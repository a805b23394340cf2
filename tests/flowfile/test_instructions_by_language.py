"""What a text in German, French or Spanish tells a caller to press, and what only looks like it (LANGUAGE C5)."""

import pytest

from ivr.flowfile.checks.instruction_languages import can_read, keys_named_in
from ivr.flowfile.checks.menus import WORDS_A_SECOND
from tests.flowfile.reading import codes, said

TEXTS = [
    ("de", "Drücken Sie die 1 oder 2.", "1 2"),
    ("de", "Für den Verkauf drücken Sie die 1, für Support die 2.", "1 2"),
    ("de", "Für Verkauf drücken Sie 1, für Support 2 und für alles andere die Raute.", "1 2 #"),
    ("de", "Drücken Sie 1 für Verkauf, 2 für Support oder 3 für die Zentrale.", "1 2 3"),
    ("de", "Wählen Sie die Taste 1 bis 4. Für die Zentrale die 0 drücken.", "1 2 3 4 0"),
    ("de", "Drücken Sie die Eins für ja und die Zwei für nein.", "1 2"),
    ("de-AT", "Bitte drücken Sie jetzt die Sterntaste.", "*"),
    ("de", "Drücken Sie die Taste '4'!", "4"),
    ("de", "Drücken Sie die Raute bis 4.", "# 4"),
    ("de", "Drücken Sie nicht die 9. Drücken Sie die 1 innerhalb von 5 Sekunden.", "1"),
    ("de", "Für Notfälle drücken Sie die 1, für Linie 4, und warten Sie 2 Minuten.", "1"),
    ("de", "Drücken Sie die 1 für Linie 4.", "1"),
    ("de", "Geben Sie 4 Ziffern ein. Wählen Sie die 0316 123456.", ""),
    ("de", "Drücken Sie die {{ key }}, um die 2 Termine zu hören.", ""),
    ("de", "Die 2 gewinnt. Mit der 3 geht es weiter", ""),
    ("de", "Drücken Sie den Knopf unter Bild 1.", ""),
    ("fr", "Pour les ventes, tapez 1. Pour le support, appuyez sur le 2.", "1 2"),
    ("fr", "Pour les ventes, tapez 1 ; pour le support, le 2.", "1 2"),
    ("fr", "Appuyez sur la touche étoile ou dièse.", "* #"),
    ("fr", "N'appuyez pas sur 9. Tapez 1 pour oui, 2 pour non.", "1 2"),
    ("fr", "Tapez un code à 4 chiffres.", ""),
    ("es", "Para ventas, pulse 1. Para soporte, marque el 2.", "1 2"),
    ("es", "Pulse la tecla asterisco o almohadilla.", "* #"),
    ("es", "No pulse 9. Presione uno para sí o dos para no.", "1 2"),
    ("es", "Marque su número de 4 cifras.", ""),
    ("en", "Press 1 or 2.", "1 2"),
    ("it", "Prema 1.", ""),
]
MENU = """
language: {language}
states:
  start:
    menu:
      prompt: "{prompt}"
      choices: {{ventas: {{dtmf: "1"}}, soporte: {{dtmf: "2"}}}}
    next: bye
"""


@pytest.mark.parametrize(("language", "text", "keys"), TEXTS)
def test_the_keys_that_a_text_tells_to_press_in_its_language(language: str, text: str, keys: str) -> None:
    assert [named.what for named in keys_named_in(text, language)] == keys.split()


def test_what_is_named_has_its_place_in_the_text() -> None:
    text = "Für Verkauf drücken Sie die 1, für Support die 2."
    assert [text[named.start : named.end] for named in keys_named_in(text, "de")] == ["drücken Sie die 1", "2"]


def test_languages_that_are_read() -> None:
    assert [can_read(tag) for tag in ("en-US", "de", "fr-CA", "es-419", "it-IT")] == [True, True, True, True, False]


@pytest.mark.parametrize(
    ("language", "prompt", "found"),
    [
        ("de-DE", "Für A drücken Sie die 1, für B die 2.", set()),
        ("de-DE", "Für A drücken Sie die 1, für B die 3.", {"prompt-key", "silent-key"}),
        ("de-DE", "Für A drücken Sie die 2, für B die 1.", {"silent-key"}),
        ("fr-FR", "Pour A, tapez 1 ; pour B, tapez 2.", set()),
        ("fr-FR", "Pour A, tapez 1 ; pour B, tapez le 3.", {"prompt-key", "silent-key"}),
        ("es-ES", "Para A, pulse 1. Para B, pulse 2.", set()),
        ("es-ES", "Para A, pulse 1. Para B, pulse 4.", {"prompt-key", "silent-key"}),
        ("it-IT", "Per A, prema 1. Per B, prema 4.", set()),
    ],
)
def test_a_menu_is_compared_with_its_prompt_in_its_language(language: str, prompt: str, found: set[str]) -> None:
    text = MENU.format(language=language, prompt=prompt).replace("ventas", "a1").replace("soporte", "b2")
    assert set(codes(text)) == found


@pytest.mark.parametrize(("language", "words"), sorted(WORDS_A_SECOND.items()))
def test_the_first_choice_comes_late_by_the_speed_of_the_language(language: str, words: float) -> None:
    instruction = {"de": "drücken Sie 1", "en": "press 1", "es": "pulse 1", "fr": "tapez 1"}[language]
    menu = """
language: {0}
states:
  start: {{menu: {{prompt: "{1} {2}.", choices: {{a1: {{dtmf: "1"}}}}}}, next: bye}}
"""
    late, soon = round(words * 11), round(words * 9)
    assert codes(menu.format(language, "la " * late, instruction)) == ["long-menu"]
    assert codes(menu.format(language, "la " * soon, instruction)) == []


def test_a_weekday_in_another_language_is_english_when_it_is_compared() -> None:
    [found] = said("start: {decide: [{guard: \"(now | weekday) == 'mardi'\", target: bye}, bye]}")
    assert found.endswith('Compared, it is English in every language: write "Tuesday".')


def test_a_weekday_is_stored_in_the_language_of_the_caller() -> None:
    text = """
language: de-DE
variables: {{tag: {{type: text, values: {}}}}}
states:
  start: {{say: Hallo., set: {{tag: "{{{{ now | weekday }}}}"}}, next: told}}
  told: {{say: "{{{{ tag }}}}.", next: bye}}
"""
    assert codes(text.format("[Samstag, Sonntag]")) == []
    assert codes(text.format("[Saturday, Sunday]")) == []
    assert codes(text.format("[heute, morgen]")) == ["type"]
