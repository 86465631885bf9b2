"""Runs in a folder of training outputs."""
