"""Runoff's own code. ``core`` is pure; ``data`` reads; ``charts`` draws; ``ui`` talks to Streamlit."""

import os

# Read when NumPy is first imported. The matrices of the noise model are of 48 rows at most: a second thread has nothing
# to do there, and waits at full speed, which is 0.1 s of a processor for each new pattern of steps.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
