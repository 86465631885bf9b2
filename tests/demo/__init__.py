"""The seeded script that makes the demo runs."""
