"""What the rest stands on: the guard, forks, waiting, the end of the process, locks, private files."""
