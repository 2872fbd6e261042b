"""Reading, checking, splitting and encoding rows: from files to arrays."""
