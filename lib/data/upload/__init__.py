"""Files that somebody uploaded: taken into a private folder within limits, and read as a folder of runs."""
