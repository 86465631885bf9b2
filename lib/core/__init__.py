"""Facts and arithmetic about runs: no I/O, no clock, no logging."""
