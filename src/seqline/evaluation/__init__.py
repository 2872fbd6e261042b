"""Metrics, baselines, slices, behaviours, gate rules and the report."""
