"""Who wins, among whom, and how far that holds."""
