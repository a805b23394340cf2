"""A SIP endpoint that runs: sockets, timers and one clock for all calls around `ivr.sip` and `ivr.rtp`.

It takes calls and places them. It knows no bot and no prompts.
"""
