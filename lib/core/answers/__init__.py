"""What a page says first: the answer to what it was opened for, and what the answer rests on."""
