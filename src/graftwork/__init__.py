"""Graftwork adapts a foundation model to your task by combining techniques in one training run."""

__version__ = "0.1.0"
