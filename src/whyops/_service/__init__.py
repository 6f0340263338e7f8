"""All that speaks to the WhyOps service: sending, reading back, describing agents, the proxy."""
