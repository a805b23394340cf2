"""Where calls are kept, one file per driver; none knows another."""
