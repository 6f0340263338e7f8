"""A recorded line → a file or memory, until it is delivered."""
