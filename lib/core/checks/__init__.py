"""What of a run's data and curves should worry somebody."""
