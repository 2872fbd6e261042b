"""Networks: cells, recurrent layers, pooling. Knows tensors, not files or recipes."""
