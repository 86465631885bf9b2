"""What the pages show is of: settings, link, reads, and what is remembered of them."""
