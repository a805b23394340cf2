"""Where calls are kept: a folder for each driver, none of which knows another, and what they have in common."""
