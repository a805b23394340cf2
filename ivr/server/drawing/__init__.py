"""The chart of a flow (`ivr.flowfile.chart`) as a picture: where everything goes (`layers`, `layout`), and SVG (`svg`).

Drawn here and not in the browser: the picture needs no library there, works without a script, and can be tested as
text. It is plain data from end to end; nothing in it asks a store or a clock.
"""
