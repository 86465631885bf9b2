"""What a chart shows and looks like, until it leaves for the browser. Nothing here knows which runs are selected."""
