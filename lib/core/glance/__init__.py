"""The verdict in few words: what a page or a terminal shows at a glance."""
