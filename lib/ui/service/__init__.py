"""What the server itself says beside the pages: whether the source answers, and what a page that failed shows."""
