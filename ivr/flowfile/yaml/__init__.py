"""YAML to nodes with places, whatever the file holds: `reader` is the door, the rest tells authors what went wrong."""
