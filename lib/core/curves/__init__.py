"""The curves of a run, and what they say about it."""
