"""The training loop, optimisers, checkpoints and seeding."""
