"""A recorded trace → what a person reads. Pure: from events to objects to text."""
