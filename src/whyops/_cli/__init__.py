"""The command `whyops`: look at what was recorded. One file per command."""
