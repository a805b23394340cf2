"""Voices, one file each: texts to samples (`Voice` in `ivr.ports`). `ivr.speech.voice_registry` knows them all."""
