"""The readers: every module here has one format, as ``FORMAT``, and is found by listing this folder."""
