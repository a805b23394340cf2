"""Live sound: what a line says, hears and records, for whatever carries it in frames of 20 ms.

Sound is 16 kHz, mono, 16 bit little endian; what a telephone captures stays in its own form (`capture`). Nothing here
knows a phone, a channel or the network: a file of a prompt is fetched by a function that is given, and time is a clock
that is given.
"""
