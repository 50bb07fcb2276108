"""References of cases: short, read aloud without mistakes, and saying nothing of the child."""

import secrets

SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"
"""No 0 or O, no 1 or I or L, no U: each is heard as one sign and no other."""

PREFIXES = {"actual": "MC", "exercise": "EX", "test": "TS"}


def new_reference(status: str) -> str:
    """Return a new reference, such as MC-7K3Q-9XJ2; 30^8 of them, so a clash is a curiosity."""
    signs = "".join(secrets.choice(SIGNS) for _ in range(8))
    return f"{PREFIXES[status]}-{signs[:4]}-{signs[4:]}"


def clean(text: str) -> str:
    """Return a reference as it is kept, from any case and spacing."""
    signs = "".join(sign for sign in text.upper() if sign.isalnum())
    return f"{signs[:2]}-{signs[2:6]}-{signs[6:]}" if len(signs) == 10 else text
