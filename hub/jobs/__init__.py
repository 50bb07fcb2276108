"""Work that follows a commit: PostgreSQL is the queue of record, Redis only wakes workers."""
