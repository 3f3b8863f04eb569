"""Simulated county-month panels on the dates of the real rollout, with a known effect.

``simulation_settings`` has the settings; ``simulated_counties``, ``simulated_agencies``,
``simulated_crime`` and ``simulated_reporting`` draw the data; ``simulated_masters`` writes it in the
FBI's layout; ``simulated_panel`` reads it back through the ordinary readers and the ordinary cleaning.
Imports nothing of the estimators.
"""
