"""Reading runs. The only layer that knows tables, columns, files and foreign errors."""
