"""The national directory: whom to call now, for any address, day or night."""
