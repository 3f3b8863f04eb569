"""From saved estimates to tables, figures and one page.

What is shown is data: ``specs/<study>/study.yaml``, checked against ``study_schema.json``. The
pipeline calls ``study.write_tables``, ``study.write_figures`` and ``page.write_page``.
"""
