"""Lines that carry calls, one package each; none knows another."""
