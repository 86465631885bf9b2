"""What the Hugging Face ``Trainer`` leaves: its log, the files beside it, and the names of its checkpoints."""
