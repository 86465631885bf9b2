"""Which checkpoint of a run to ship, and whether it exists."""
