"""Models for studies that report several estimates, and variances that bear dependence."""
