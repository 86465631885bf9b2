"""What is taken away from the page: a comment, a report, a record; and a record that is brought back."""
