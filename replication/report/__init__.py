"""From saved estimates to tables, figures and the report.

What is shown is data: the study's ``tables.yaml`` and ``figures.yaml``, checked against the options that each
kind declares. The pipeline calls ``study.write_tables``, ``study.write_figures`` and
``site_render.write_site``.
"""
