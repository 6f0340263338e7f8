"""What the other rooms build on: the guard, forks, waiting, the end of the process, locks, private files."""
