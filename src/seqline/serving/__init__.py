"""Answers from a packaged model."""
