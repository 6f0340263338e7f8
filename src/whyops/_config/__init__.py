"""The settings of a client, and what the environment and the defaults say where the caller does not."""
