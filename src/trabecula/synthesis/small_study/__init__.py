"""Tests and models for studies whose chance of being seen depends on their result."""
