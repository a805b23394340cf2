"""What a text of the database can hold: UTF-8 without the character of number 0."""


def can_stand(text: str) -> bool:
    """Return whether a text can stand in the database; what cannot is not there, and need not be looked for."""
    return "\0" not in text and not any("\ud800" <= char <= "\udfff" for char in text)
