"""What is on record: who did what and why, sealed; and content, under a key per case."""
