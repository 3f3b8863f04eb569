"""Machinery that several estimators share: fixed effects, regressions, cohort cells."""
