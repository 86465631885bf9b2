"""Altair specifications in, dictionaries out. Nothing here knows which runs are selected."""
