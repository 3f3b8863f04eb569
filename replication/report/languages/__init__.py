"""Generated R, Stata and pyfixest files that estimate the models of a study again."""

from replication.report.languages.code_files import write_code as write_code
