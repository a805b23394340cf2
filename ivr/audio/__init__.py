"""Audio: what a file is, strangers' decoded in worker processes (`workers`), our own written (`encode`)."""
