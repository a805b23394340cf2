"""Everything that knows the web server.

The path of a webhook: `connection` (one socket) > `app` (which endpoint) > `webhook` (head, verify, body, turn) with `body`,
`multipart` and `recordings` for what is read; `replies` writes every answer. Beside it: `jobs` carries out orders,
`flows` keeps the flows, `run` puts all of it together.
"""
