"""The platform's side of the calling protocol, for one's own machine: a phone that can call any bot (docs/phone.md).

An independent client: of the bot's codec it shares the wire's types and nothing else, so that each checks the other.

    platform   places calls                     post, guard, identity
    call       one call, reply by reply         workflow (reading, rulebook), reports, line
    handset    who is on the phone:             session (a person, live), turn_based (a script, a typist, a load)
"""
