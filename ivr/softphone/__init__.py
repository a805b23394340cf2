"""A telephone of our own: calls any SIP address by hand, by script, or many times at once (`ivr phone --sip`)."""
