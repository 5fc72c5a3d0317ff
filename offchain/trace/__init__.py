"""Traces of executions, plans of models, and evidence about single elements (TRACE.md)."""
