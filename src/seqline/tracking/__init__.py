"""MLflow runs, packaged models, the registry and the promotion ledger."""
