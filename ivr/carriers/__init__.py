"""The other side of lines over the web: emulators of carriers, which call a bot as the carrier would (docs/phone.md).

Each speaks its carrier's dialect from the carrier's own words. They import nothing of `ivr.channels`, so that each
side checks the other. Their callers are those of `ivr.phone`: what a document orders comes to a handset as effects of
`ivr.line`, and what the caller does goes back as its signals.
"""
