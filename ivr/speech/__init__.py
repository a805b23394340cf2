"""Speech engines, one file each; none knows another."""
