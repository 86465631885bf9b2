"""The charts of the main page, and what is done in them."""
