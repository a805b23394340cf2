"""From YAML text to a `Flow`, with every mistake found at its line and column.

Begin with `load`: reader (YAML to nodes with places) -> validate (nodes to the model) -> checks -> build.
"""
