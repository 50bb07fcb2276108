"""Who acts: people and their memberships, sessions, partner systems and their tokens, and policy."""
