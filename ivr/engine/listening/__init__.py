"""What callers say in place of keys: numbers, dates, yes and no, by language (`spoken_answers` is the way in)."""
