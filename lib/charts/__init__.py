"""What a chart shows and looks like, until it leaves for the browser or as a file. It knows nothing of a selection."""
