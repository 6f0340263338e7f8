"""What an agent does → event lines."""
