"""The lines as OpenTelemetry spans, and the sink that sends them to whatever takes OTLP: a collector, Phoenix, MLflow."""
