"""RTP (RFC 3550): packets, keys, codecs and the stream of one call.

Sockets and the clock are in `ivr.useragent`. What a codec or a cipher library does is behind one module each.
"""
