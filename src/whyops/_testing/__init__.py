"""What `whyops.testing` offers: recording in memory, and saying what a run has to be like."""
