"""Train loss against eval loss at one step: overfitting, and what explains a negative gap."""
