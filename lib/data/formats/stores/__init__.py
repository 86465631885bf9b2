"""What the stores of experiment trackers have in common: databases, Parquet, points on their way to series."""
