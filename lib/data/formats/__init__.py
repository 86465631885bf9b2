"""What training programs write, as logs: one module for each format, behind one protocol."""
