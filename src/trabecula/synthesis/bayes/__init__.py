"""Exact posteriors by quadrature: no sampling, the same digits every time."""
