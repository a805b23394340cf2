"""SIP (RFC 3261 and its extensions) as plain functions: bytes and time in, bytes and events out.

No socket, clock or chance is in here. `ivr.useragent` puts sockets and time around it.
"""
