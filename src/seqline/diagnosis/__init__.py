"""What is wrong with a set-up, and the command that mends it. Looking changes nothing."""
