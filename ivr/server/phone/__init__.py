"""The phone in the browser (docs/browser-phone.md): a page, and for each page a line to the phone itself, `ivr.phone`.

The page makes sound and shows what happens; it decides nothing. With our own server as the bot it also sees what no
platform ever told a caller: where the call stands in its flow (`own_bot`).

    routes > phone_page (markup), page_line (one websocket, one call at a time) > shared_phone > ivr.phone; own_bot
"""
