"""What was read of folders and the list that was made of it: on disk between two starts, and curves in memory."""
