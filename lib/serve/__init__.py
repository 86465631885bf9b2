"""Several processes of the app behind one port."""
