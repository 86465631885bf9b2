"""What goes into the log, in which form, and what never does."""
