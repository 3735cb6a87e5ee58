"""A run handed over: one page that says what it is, how good it is, and how it is repeated."""
