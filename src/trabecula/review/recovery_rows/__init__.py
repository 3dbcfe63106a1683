"""From the rows of a study to those of the recovery model; what does not enter says why.

draft        a row on its way, and the list of what was found
sources      what is known of a study's rows: estimates, samples, sizes, typical times
spreads      how far patients differ, for arms that do not print it
scores       mean scores after a start, as a share of what they were before
counts       patients recovered by a week
times        weeks until recovery
contrasts    what is said of one arm against another
cohorts      one study of each cohort
frame        studies, arms, treatments, moderators
"""
