"""What the files and folders around a log state of its settings, whatever program wrote the log."""
