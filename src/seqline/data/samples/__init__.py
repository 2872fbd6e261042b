"""Sample data written for this project, made by a seed instead of downloaded."""
