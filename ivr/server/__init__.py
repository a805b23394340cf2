"""Everything that knows the web server.

The way of a webhook: `connection` (one socket) > `app` (which door) > `webhook` (head, verify, body, turn) with `body`,
`multipart` and `recordings` for what is read; `replies` writes every answer. Beside it: `jobs` carries out orders,
`flows` keeps the flows, `run` puts all of it together.
"""
