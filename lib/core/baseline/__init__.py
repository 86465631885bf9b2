"""How runs differ from the one that is pinned as their baseline: values, whole curves, and what is said of both."""
