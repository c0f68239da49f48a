"""Predictions of an encoder on test data, and their scores as the official scorers count them."""
