"""What the pages say of all that."""
