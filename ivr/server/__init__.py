"""Everything that knows the web server.

The path of a webhook: `connection` (one socket) > `app` (routes) > `webhook` (head, verify, body, turn) with `body`,
`forms` and `multipart` for what is read; `replies` writes every answer. Beside it: `jobs` carries out orders,
`flow_registry` keeps the flows. `assembly` puts all of it together, from `startup` (what must be right before),
`backend` (what stands between port and disk), `pages`, `chores`. `plugs` has the channels: nothing else here names one.
"""
