"""Reference data with its provenance, its loader, and the demonstration exercise."""
