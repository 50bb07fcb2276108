"""The platform of the Missing Children Hub, and what assembles the whole."""
