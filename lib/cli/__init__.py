"""The command line: what the pages say, for scripts."""
