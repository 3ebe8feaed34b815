"""Predictions by several processes: a table in parts, each computed by one of them, put together in order."""
