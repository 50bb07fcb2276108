"""Outgoing post: a reference and a link, never a word of a case (DOMAIN.md 4.11)."""
