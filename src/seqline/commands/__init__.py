"""The commands a user types, by topic. Modules here import only light things at the top: help must be quick."""
