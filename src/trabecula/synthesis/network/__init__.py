"""Networks of treatments: direct and indirect evidence together."""
