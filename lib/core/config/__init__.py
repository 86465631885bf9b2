"""What was really configured, and how runs differ in it."""
