"""What everything is compared with: a bare aiohttp application that reads JSON and writes it back.

The same event loop and JSON library as the server, no log, no token check, no store. It answers multipart bodies with
a short JSON text. `python -m bench.echo PORT`.
"""

import asyncio
import sys

import msgspec
import uvloop
from aiohttp import web

encode = msgspec.json.Encoder().encode
decode = msgspec.json.Decoder().decode


async def echo(request: web.Request) -> web.Response:
    body = await request.read()
    value = decode(body) if request.content_type == "application/json" else {"bytes": len(body)}
    return web.Response(body=encode(value), content_type="application/json")


async def main(port: int) -> None:
    app = web.Application(client_max_size=1 << 27)
    app.router.add_post("/call", echo)
    app.router.add_post("/callback", echo)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", port).start()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
