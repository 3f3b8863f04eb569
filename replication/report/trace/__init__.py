"""Where every printed number comes from: the trace of each cell of a table and each point of a figure.

``trace_keys`` names cells, ``cell_values`` and ``figure_points`` find what each shows, ``inputs_and_code``
describes what stands behind it, ``expected_values`` holds it against the committed numbers, and ``traces``
puts a trace together.
"""
