"""Logs that are lines of text: cleaned, read as named numbers, and counted in steps."""
