"""Runs that come with the app."""
