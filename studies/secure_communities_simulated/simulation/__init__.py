"""Made county-month panels on the dates of the real rollout, with a known effect.

``settings`` what is asked for; ``counties``, ``agencies``, ``crime``, ``reporting`` what happens;
``master`` writes it down as the FBI does; ``panel`` reads it back through the ordinary readers and
the ordinary cleaning. Imports nothing of the estimators.
"""
