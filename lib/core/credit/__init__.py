"""Which change of the settings a difference between runs can be credited with."""
