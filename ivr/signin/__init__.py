"""Signing callers in: attempts, what browsers and callers do with them, and the tokens that come of them.

`attempt_rules` and `drawing` are plain functions; `attempts` holds what there is and saves it; `call_side` is what a
call may do, `browser_side` what a browser may, `device_poller` asks the provider, `token_vault` gives tokens out. The
provider itself is behind `authority`.
"""
