"""jambonz, played by us: its webhooks, its verbs and its sound, towards any bot that is written for it (docs/phone.md).

What it does follows its feature server 0.9.8 and the published schemas of its verbs and callbacks. `CallMachine` is one
call as plain data, without a clock or a socket; `JambonzCall` holds it with a handset and a bot.
"""
