"""What a champion knew when it was made, how far a batch is from that, and when that asks for a new model."""
