"""How far a curve of evaluations can be trusted, and which of several has the lowest true value."""
