"""Runs of an MLflow tracking server, asked over its REST API."""
