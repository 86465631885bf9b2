"""The demo runs: two Parquet files in the shape of the database tables, and the programs that make them."""
