"""What the handlers of the frameworks have in common."""
