"""What a chart shows and looks like, until it leaves for the browser or as a file. Nothing here knows which runs are selected."""
