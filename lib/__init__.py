"""Runoff's own code. ``core`` is pure; ``data`` reads; ``charts`` draws; ``ui`` talks to Streamlit."""
