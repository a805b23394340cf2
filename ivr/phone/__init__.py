"""The platform's side of the calling protocol, for one's own machine: a phone that can call any bot (docs/phone.md).

An independent client: of the bot's codec it shares the wire's types and nothing else, so that each checks the other.

    callers, session   who is on the phone: a caller for whom time waits (script, typist, load), or a live person
    platform           places calls
    placed_call        one call, reply by reply; performing runs what a reply orders on a line (`ivr.line`)
    handset            a person's end of a call
    net                messages to the bot: exchange, post, guard, identity
    wire               decoding, rulebook, workflow, reports
    phone_events       what happens on a call, for a terminal, a page or a script
"""
