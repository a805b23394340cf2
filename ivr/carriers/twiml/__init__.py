"""A carrier of the TwiML family: places calls at a bot, carries its documents out, posts what came of them.

`document_reading` judges a document as strictly as the carrier's own typings (`grammar`), `interpreter` runs one
against signals and time (pure), `carrier_call` holds a call, `signing` signs its requests.
"""
