"""The settings of a client: from the caller, else from the environment, else the defaults."""
