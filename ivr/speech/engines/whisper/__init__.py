"""The engine `whisper`: Whisper's weights on this machine, by faster-whisper and CTranslate2."""
