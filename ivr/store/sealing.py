"""Sealing: what a caller keyed or said in confidence stands on the disk as AES-256-GCM, and nowhere else.

The key comes from a setting or from a file beside the database, readable by its owner alone. Whoever copies the
database without that file copies nothing that was said in confidence. Sealing protects copies, write-ahead log and
free pages; it does not protect against a reader of the whole data folder.
"""

import hmac
import os
import secrets
from hashlib import sha256
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ivr.errors import BrokenSeal, DataUnusable
from ivr.store.data_folder import sync_folder
from ivr.store.disk_errors import disk_reason

KEY_BYTES = 32
READ = 256
"Bytes of a key file that are read: a key is 64 digits and the end of a line."
NONCE_BYTES = 12
"Drawn at random for each value: good for 2^32 values under one key (NIST SP 800-38D, 8.3)."
PSEUDONYM_DIGITS = 32
"Hexadecimal digits that stand for a name."
BLOCK = 64
"Values are padded to a multiple of this many bytes, since GCM keeps lengths, and a length tells how many keys it was."


class Sealer:
    """Seals and opens values with one key."""

    def __init__(self, key: bytes, *, source: str, unsaved: Path | None = None) -> None:
        self._cipher = AESGCM(key)
        self._key = key
        # HMAC-SHA-256 (RFC 2104, 2) with the key taken in already: a pseudonym is made for every message.
        self._inner, self._outer = (sha256(bytes(byte ^ pad for byte in key.ljust(64, b"\0"))) for pad in (0x36, 0x5C))
        self._source = source
        self._unsaved = unsaved
        self.has_opened = False
        "Whether it has opened a value: then it is the right key."

    @property
    def is_new(self) -> bool:
        """Whether the key was drawn just now, so that it can have sealed nothing that is stored."""
        return self._unsaved is not None

    @classmethod
    def find(cls, setting: str | None, file: Path) -> "Sealer":
        """Take the key from the setting, else from the file, else draw one, which `keep` then writes to the file.

        Blocks on the disk. Raises DataUnusable for a key that is not valid.
        """
        if setting is not None:
            return cls(_parsed(setting, "the sealing key in the settings"), source="the one in the settings")
        try:
            text = _read(file)
        except FileNotFoundError:
            return cls(secrets.token_bytes(KEY_BYTES), source=f"a new one, since {file} is missing", unsaved=file)
        except OSError as exc:
            raise DataUnusable(f"The sealing key in {file} cannot be read: {disk_reason(exc)}.") from exc
        return cls(_parsed(text, f"The sealing key in {file}"), source=f"the one in {file}")

    def keep(self) -> None:
        """Write a new key to its file, whole and synced, before anything is sealed with it. Blocks on the disk."""
        if self._unsaved is None:
            return
        part = self._unsaved.with_suffix(".part")
        try:
            with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="ascii") as file:
                file.write(self._key.hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._unsaved)
            sync_folder(self._unsaved.parent)
        except OSError as exc:
            raise DataUnusable(f"The sealing key cannot be written to {self._unsaved}: {disk_reason(exc)}.") from exc
        self._unsaved = None

    def seal(self, plain: bytes, place: str) -> bytes:
        """Seal JSON for one place; it opens there and nowhere else."""
        nonce = secrets.token_bytes(NONCE_BYTES)
        padded = plain.ljust(-(-len(plain) // BLOCK) * BLOCK)  # blanks: JSON's readers skip them
        return nonce + self._cipher.encrypt(nonce, padded, place.encode())

    def pseudonym(self, name: str) -> str:
        """Return what stands for a name: always the same; without the key, trying names does not find it."""
        inner, outer = self._inner.copy(), self._outer.copy()
        inner.update(name.encode())
        outer.update(inner.digest())
        return outer.hexdigest()[:PSEUDONYM_DIGITS]

    def caller(self, name: str) -> bytes:
        """Return 32 bytes that stand for a caller: always the same, and of no use to who has not the key."""
        return hmac.digest(self.derived("callers"), name.encode("utf-8", "surrogatepass"), "sha256")

    def derived(self, purpose: str) -> bytes:
        """Return a key of 32 bytes for something else: always the same, and it tells nothing of this one."""
        outer = self._outer.copy()
        inner = self._inner.copy()
        inner.update(f"key for {purpose}\n".encode())  # no message's id has an end of line, so no pseudonym is a key
        outer.update(inner.digest())
        return outer.digest()

    def unseal(self, sealed: bytes, place: str) -> bytes:
        """Open what was sealed for this place; raise BrokenSeal if this is not the key, or if it is damaged."""
        try:
            plain = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place.encode())
        except (InvalidTag, ValueError, TypeError) as exc:  # TypeError: what is stored is no bytes
            raise BrokenSeal(
                f"Sealed values of call {place} cannot be opened with this key ({self._source}). "
                "Put the right key back. If it is lost, so are these calls: move the data folder away to start empty."
            ) from exc
        self.has_opened = True
        return plain


def _read(file: Path) -> str:
    """Read a key file; of one that is longer, or no file at all, as much as shows that it holds no key."""
    # Without waiting, since a named pipe would keep the server from starting for ever.
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NONBLOCK), "rb") as opened:
        return (opened.read(READ) or b"").decode("ascii", "replace")


def _parsed(text: str, where: str) -> bytes:
    try:
        key = bytes.fromhex(text)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise DataUnusable(f"{where} must be {2 * KEY_BYTES} hexadecimal digits. To make them: openssl rand -hex 32")
    return key
