"""What the summary table shows: its columns, cells and marks, and the table as CSV."""
