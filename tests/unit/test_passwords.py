"""Passwords are hashed as the hub hashes them for people, though the tests do it lightly."""

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type
from argon2.profiles import RFC_9106_LOW_MEMORY

from hub.identity import people
from tests.conftest import STRONG_HASHER


def test_a_hash_is_argon2id_at_full_strength(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(people, "_hasher", STRONG_HASHER)
    made = extract_parameters(people.hash_password("EXERCISE three words"))
    assert made.type is Type.ID
    assert made.memory_cost >= RFC_9106_LOW_MEMORY.memory_cost
    assert made.time_cost >= RFC_9106_LOW_MEMORY.time_cost
