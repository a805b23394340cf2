"""Follows a connection that aiohttp reads, to find the moment at which nothing is left of a message. Pure."""

import httptools


class MessageCounter:
    """The messages since a boundary: begun, ended, answered."""

    __slots__ = ("_begun", "_ended", "_parser", "answered")

    def __init__(self) -> None:
        self._begun = 0
        self._ended = 0
        self.answered = 0
        "Counted by whoever answers them."
        self._parser: httptools.HttpRequestParser | None = httptools.HttpRequestParser(self)
        "None: this can no longer be followed."

    @property
    def is_at_boundary(self) -> bool:
        """Return whether each message that has begun has ended and was answered, as far as this can be followed."""
        return self._parser is not None and self._begun == self._ended == self.answered

    def feed(self, data: bytes) -> None:
        """Read what comes next. What is not HTTP, or goes on in another protocol, is not followed any further."""
        if self._parser is not None:
            try:
                self._parser.feed_data(data)
            except (httptools.HttpParserError, httptools.HttpParserUpgrade):
                self.close()

    def close(self) -> None:
        """Follow no further, and let go of the parser, which knows this counter."""
        self._parser = None

    # Called by the parser.

    def on_message_begin(self) -> None:
        """Count a message at its first byte."""
        self._begun += 1

    def on_message_complete(self) -> None:
        """Count a message at its last byte."""
        self._ended += 1
