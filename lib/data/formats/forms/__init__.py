"""Runs in the form in which one program logged them, and which of these are one run."""
