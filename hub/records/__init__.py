"""What is kept on record: who did what and why, sealed; and content, encrypted under a key per case."""
