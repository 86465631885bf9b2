"""A comparison to keep or to send: as a page, as text, and as a record that can be checked."""
