"""`whyops ui`: the recorded traces in a browser, served on loopback to whoever has the address's token."""
