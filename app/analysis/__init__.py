"""Arrays in, numbers out: every estimate and interval of a study. No database, no files, no chance but what is passed.

Rates lie in [0, 1]; intervals are two-sided and clustered by misconception and annotator wherever people chose.
Where a number is not defined (nothing to average, one cluster, one class) the answer is None, never nan.

choices, margins, votes     what goes in: choices, their sums by pair and annotator, the votes of each pair
clustering, intervals       two-way clustered variance, effective n; intervals
resampling                  bootstraps over pairs
rates, contrasts, curves    preference rates, differences (arms, groups, levels), belief and confidence
trend                       the primary slope, the isotonic fit, Cochran-Armitage
majority, aggregation       majority vote by tie policy; majority of j people; both rest on functionals
position, length            what the side and the length of a response do
consistency, agreement      the same person twice; different people on the same pair
exclusions, response_times  who is left out by which rule, and what that changes
judges, paired, multiplicity    preference models against people, and against each other
classification, calibration, ceiling    how well a judge's choice and margin foretell people, and how well people do
logistic, laplace, bradley_terry, dawid_skene, marginal, convergence, best_of_n, power    the models beside them
"""
