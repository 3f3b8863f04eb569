"""One reader per public source: bytes in, tidy frame out, nothing else.

A reader checks that the file is what it is said to be and refuses it otherwise; it applies no
rule of the studies. Which counties and years are kept is decided in ``panel``.
"""
