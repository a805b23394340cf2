"""The data folder: what lies where, and the lock by which one process owns it."""

import fcntl
import os
from collections.abc import Collection, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from ivr.errors import DataUnusable, FolderInUse
from ivr.store.disk_errors import disk_reason


class DataFolder:
    """The names in a data folder, always absolute; `open` also owns it until `close`, `shared` leaves it to all."""

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()  # now: the working directory may change
        self._lock: int | None = None

    @classmethod
    def open(cls, path: Path) -> Self:
        """Make the folder if need be, and own it; raise FolderInUse or DataUnusable.

        A new folder is for its owner alone (0700). The mode of one that exists is left as it is, since it may be
        anybody's; all that lies in it is closed by itself. Blocks on the disk.
        """
        folder = cls(path)
        try:
            _make(folder.path)
            _make(folder.audio)
            folder._own()
        except OSError as exc:
            raise DataUnusable(f"The data folder {folder.path} cannot be used: {disk_reason(exc)}.") from exc
        return folder

    @classmethod
    def shared(cls, path: Path) -> Self:
        """Make the folder if need be, for any number of processes; raise DataUnusable. Blocks on the disk.

        Their calls and recordings are elsewhere. What is written here is written whole or not at all, by each of them.
        """
        folder = cls(path)
        try:
            _make(folder.path)
            _make(folder.audio)  # for the copies that speech engines are given
        except OSError as exc:
            raise DataUnusable(f"The data folder {folder.path} cannot be used: {disk_reason(exc)}.") from exc
        return folder

    @property
    def database(self) -> Path:
        """Calls, traces, orders and flows."""
        return self.path / "calls.db"

    @property
    def seal_key(self) -> Path:
        """The key of `ivr.store.sealing`; not to be kept in one place with copies of the database."""
        return self.path / "seal.key"

    @property
    def audio(self) -> Path:
        """The folder of the recordings."""
        return self.path / "audio"

    @property
    def mail(self) -> Path:
        """Where mails are written in development, if there is no mail server."""
        return self.path / "mail"

    def mails_of(self, calls: Collection[str]) -> Sequence[Path]:
        """Return the mails that calls with these ids of ours had written there, unfinished ones too."""
        try:
            files = sorted(self.mail.iterdir())
        except FileNotFoundError:
            return ()  # a mail server has them, or there are none yet
        return [file for file in files if file.name.lstrip(".").partition(".")[0] in calls]

    @property
    def closed(self) -> Path:
        """The folder in which an operator closes calendars; nobody makes it but the operator."""
        return self.path / "closed"

    @property
    def openid_keys(self) -> Path:
        """The platform's public keys of the last run."""
        return self.path / "openid-keys.json"

    @property
    def chat_keys(self) -> Path:
        """The public keys of the chat's platform, of the last run."""
        return self.path / "chat-keys.json"

    @property
    def skype_v2_keys(self) -> Path:
        """The public keys of the Skype Bot Platform, of the last run."""
        return self.path / "skype-v2-keys.json"

    @property
    def bot_keys(self) -> Path:
        """The public keys by which bots are known, of the last run."""
        return self.path / "bot-keys.json"

    @property
    def sign_in_keys(self) -> Path:
        """The public keys of the identity provider of callers, of the last run."""
        return self.path / "sign-in-keys.json"

    @property
    def lock(self) -> Path:
        """Locked while a server runs; holds its process id."""
        return self.path / "lock"

    def close(self) -> None:
        """Leave the folder to the next one."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _own(self) -> None:
        lock = os.open(self.lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            owner = os.read(lock, 32).decode("ascii", "replace").strip()
            os.close(lock)
            raise FolderInUse(
                f"The data folder {self.path} is in use by process {owner or '(still starting)'}. "
                "Stop that server, or set another data folder for this one (IVR_DATA)."
            ) from None
        os.ftruncate(lock, 0)
        os.write(lock, f"{os.getpid()}\n".encode())
        self._lock = lock
        # A forked worker inherits the lock; if it outlived a killed server, it would keep the next one out.
        os.register_at_fork(after_in_child=self.close)


def sync_folder(path: Path) -> None:
    """Make the names in a folder survive a loss of power. Blocks on the disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _make(path: Path) -> None:
    if path.is_dir():
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir(mode=0o700, exist_ok=True)  # another process may have made it meanwhile
    sync_folder(path.parent)
