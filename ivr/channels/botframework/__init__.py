"""The Bot Framework's chat: activities in JSON, in by webhook and out by the REST API of whoever sent them."""
