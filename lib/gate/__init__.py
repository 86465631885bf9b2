"""What is let in from the network: who may read which session, and what the browser may do with the page."""
