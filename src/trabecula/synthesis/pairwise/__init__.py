"""Models for one estimate a study, each study independent of the others."""
