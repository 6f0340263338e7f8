"""A recorded trace → what a person or a model reads. Pure."""
