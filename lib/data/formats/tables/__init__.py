"""Tables that programs and people write, and the runs in them."""
