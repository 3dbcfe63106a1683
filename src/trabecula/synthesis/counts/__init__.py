"""Models on the counts themselves, without a continuity correction."""
