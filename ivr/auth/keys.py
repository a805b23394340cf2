"""The platform's public keys, from several OpenID metadata documents (protocol 13).

Each document is on its own: it is fetched, kept and retried without regard to the others, since one of two hosts may
be gone for good. Nobody makes this server fetch more often than once per interval and document, whatever they send.
Nothing here knows tokens, or reads a clock: time comes in as `now`.
"""

import asyncio
import logging
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from msgspec import Struct

from ivr.auth.documents import DOCUMENTS
from ivr.auth.fetch import Fetcher, NotFetched
from ivr.auth.jwks import Jwk, keys_address, public_keys, read_keys
from ivr.smallfiles import read_small

log = logging.getLogger(__name__)

MAX_AGE = 24 * 3600.0
"Seconds after which a key set is fetched again, so that a withdrawn key is not honoured for ever."

EMPTY_INTERVAL = 10.0
"Seconds between two tries while there is no key at all: a server that came up before its network must not stay deaf."
MAX_BYTES = 1 << 20
"A fetched key set has 256 KiB at most."


class KeySet(Struct, frozen=True):
    """The keys of one metadata document."""

    fetched: float
    "When, in seconds since 1970."
    keys: tuple[Jwk, ...]


class _Document:
    """One metadata document: what came from it, and when it was last asked."""

    def __init__(self, url: str, host: str) -> None:
        self.url = url
        self.host = host
        self.found: KeySet | None = None
        self.tried: float | None = None
        self.answered = False
        "Whether the last try has brought keys."
        self.failing = False
        self.fetch: asyncio.Task[None] | None = None

    def was_asked(self, now: float) -> bool:
        return self.answered and self.tried is not None and self.tried >= now

    def is_old(self, now: float) -> bool:
        return self.found is None or not _within(MAX_AGE, self.found.fetched, now)


class KeyRing:
    """All keys of all documents, by `kid`; where two documents use one `kid`, the first document's key counts.

    `interval` and `patience` (of one fetch) in seconds; `file` is where keys outlive a restart. Raises ValueError for
    documents that must not be fetched: such a setting could never let a call in.
    """

    def __init__(
        self,
        documents: Sequence[str] = DOCUMENTS,
        *,
        file: Path | None = None,
        interval: float = 300.0,
        patience: float = 5.0,
        allow_loopback: bool = False,
    ) -> None:
        if not documents:
            raise ValueError("at least one address of OpenID metadata is needed to check tokens")
        self._fetcher = Fetcher(allow_loopback=allow_loopback)
        self._documents = [_Document(url, self._host(url)) for url in dict.fromkeys(documents)]
        self._file = file
        self._saving = asyncio.Lock()
        self._interval = interval
        self._patience = patience
        self._keys: dict[str, RSAPublicKey] = {}
        self._endorsed: dict[str, frozenset[str]] = {}
        self._generation = 0

    @property
    def empty(self) -> bool:
        """No key has ever been had, so nothing can be said about any token."""
        return not self._keys

    @property
    def generation(self) -> int:
        """Counts the changes of the key set; what an older set let in has to be looked at again."""
        return self._generation

    async def start(self, *, now: float) -> None:
        """Take up the last run's keys and begin to fetch; wait, `patience` at most, only while there are none."""
        if self._file is not None:
            saved = await asyncio.to_thread(load_keys, self._file)
            for document in self._documents:  # and no others: a document taken out of the settings is not trusted
                document.found = saved.get(document.url)
            self._gather()
        await _until(lambda: not self.empty, self._begin(self._documents, now))

    def tend(self, *, now: float) -> None:
        """Begin to fetch what has grown old. Nobody waits for it: the old keys are good until there are new ones."""
        self._begin([document for document in self._documents if document.is_old(now)], now)

    async def find(self, kid: str, *, now: float) -> RSAPublicKey | None:
        """Return the key of that name; an unknown name is worth a fetch, if there was none within the interval."""
        if kid not in self._keys:
            await _until(lambda: kid in self._keys, self._begin(self._documents, now))
        return self._keys.get(kid)

    def endorsements(self, kid: str) -> frozenset[str]:
        """Return the channels that a key speaks for; none: it does not say."""
        return self._endorsed.get(kid, frozenset())

    def were_asked(self, now: float) -> bool:
        """Return whether every document has said what its keys are at `now`, or later.

        Only then is an unknown key not one of the platform's. Otherwise it may be one that the platform has begun to
        use since, and of a document that does not answer nothing can be said.
        """
        return all(document.was_asked(now) for document in self._documents)

    async def close(self) -> None:
        """Give up whatever is being fetched."""
        under_way = [document.fetch for document in self._documents if document.fetch is not None]
        for fetch in under_way:
            fetch.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)

    def _host(self, url: str) -> str:
        try:
            return str(self._fetcher.check(url).host)
        except NotFetched as exc:
            raise ValueError(f"{url!r} must be an https address on the public internet") from exc

    def _begin(self, documents: Iterable[_Document], now: float) -> list[asyncio.Task[None]]:
        """Start what the interval allows; give all fetches of these documents that are under way."""
        interval = min(self._interval, EMPTY_INTERVAL) if self.empty else self._interval
        under_way = []
        for document in documents:
            if document.fetch is None and not (document.tried is not None and _within(interval, document.tried, now)):
                document.tried, document.answered = now, False
                document.fetch = asyncio.create_task(self._refresh(document, now))
            if document.fetch is not None:
                under_way.append(document.fetch)
        return under_way

    async def _refresh(self, document: _Document, now: float) -> None:
        try:
            found = await self._fetched(document.url, now)
        except NotFetched as exc:
            # Once, not once per interval: a host that is gone for good must not fill the log.
            level = logging.DEBUG if document.failing else logging.WARNING
            log.log(level, "no keys", extra={"document": document.host, "reason": exc.reason})
            document.failing = True
        else:
            log.info("keys fetched", extra={"document": document.host, "keys": len(found.keys)})
            document.found, document.answered, document.failing = found, True, False
            self._gather()
            await self._save()
        finally:
            document.fetch = None

    async def _fetched(self, url: str, now: float) -> KeySet:
        try:
            async with asyncio.timeout(self._patience):
                address = keys_address(await self._fetcher.get(url))
                return KeySet(fetched=now, keys=read_keys(await self._fetcher.get(address)))
        except TimeoutError as exc:
            raise NotFetched("timeout") from exc
        except ValueError as exc:
            raise NotFetched("unreadable") from exc

    def _gather(self) -> None:
        keys: dict[str, RSAPublicKey] = {}
        endorsed: dict[str, frozenset[str]] = {}
        for document in self._documents:
            if document.found is not None:
                keys = public_keys(document.found.keys) | keys
                told = {one.kid: frozenset(one.endorsements) for one in reversed(document.found.keys)}
                endorsed = told | endorsed
        if (keys, endorsed) != (self._keys, self._endorsed):
            self._keys, self._endorsed = keys, endorsed
            self._generation += 1

    async def _save(self) -> None:
        if self._file is None:
            return
        async with self._saving:  # two documents may come in at once; the later file holds both
            found = {document.url: document.found for document in self._documents if document.found is not None}
            try:
                await asyncio.to_thread(save_keys, self._file, found)
            except OSError as exc:  # a full disk: the keys in memory are as good
                log.warning("keys not kept for a restart", extra={"reason": type(exc).__name__})


async def _until(done: Callable[[], bool], fetches: Iterable[asyncio.Task[None]]) -> None:
    """Wait for fetches until it is done; a silent host is not waited for if another has said what was asked.

    Others may wait for the same fetches: if this request is cancelled, they go on.
    """
    under_way = set(fetches)
    while under_way and not done():
        _, under_way = await asyncio.wait(under_way, return_when=asyncio.FIRST_COMPLETED)


def _within(seconds: float, then: float, now: float) -> bool:
    """Return whether `then` was less than `seconds` ago; never if the clock was set back: better one fetch too many."""
    return 0 <= now - then < seconds


# --- the file of the last run -----------------------------------------------------------------------------------------

# A restart must work while the metadata hosts are down. The keys are public, but a program that could write them could
# call as the platform: the file is its owner's alone.


def load_keys(file: Path) -> Mapping[str, KeySet]:
    """Return what was saved, by the metadata document's address; empty if there is nothing that can be read."""
    try:
        return msgspec.json.decode(read_small(file, MAX_BYTES), type=dict[str, KeySet])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, RecursionError) as exc:
        log.warning("key file ignored", extra={"reason": type(exc).__name__})
        return {}


def save_keys(file: Path, documents: Mapping[str, KeySet]) -> None:
    """Replace the file as a whole, whatever happens in between; raise OSError. One caller at a time."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    part = file.with_name(file.name + ".part")
    part.unlink(missing_ok=True)  # of a run that was killed here
    with open(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:  # noqa: PTH123
        out.write(msgspec.json.encode(documents))
        out.flush()
        os.fsync(out.fileno())  # or the new name could outlive a power cut without its content
    part.replace(file)
