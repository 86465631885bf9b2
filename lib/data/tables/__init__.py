"""Rows of the two tables, jobs and metrics, as runs and curves."""
