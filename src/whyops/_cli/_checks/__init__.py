"""What `whyops doctor` looks at. Each check yields findings, changes nothing, and raises nothing that it knows of."""
