"""Records of logs that are no text: the frames they stand in, and what TensorBoard and W&B write in them."""
