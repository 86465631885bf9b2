"""The tables of the page before they are drawn, and as files to keep."""
