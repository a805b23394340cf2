"""The calling platform for telephones: takes SIP calls and plays the platform's side of the webhook protocol to a bot.

A process of its own (`ivr gateway`). It keeps no state: a gateway that is killed loses its calls and nothing else.
"""
