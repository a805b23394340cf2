"""The embedded speech engine: pocketsphinx with the American English model of its wheel; no network, no download."""
