"""What two runs are compared by before their values are: each aspect of their data, model and loss."""
