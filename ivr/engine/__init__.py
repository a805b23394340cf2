"""The call state machine: plain data in, plain data out; no clock, file, network, log or channel is known here."""
