"""The chat on a page: its addresses, who may use them, and how what is said reaches a browser."""
