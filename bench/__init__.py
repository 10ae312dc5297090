"""`make bench`: what the product does, timed beside the plain SQL that computes the same, on PostgreSQL.

`facts` makes the data, `plain` is the SQL by hand, `night` and `pages` run the product, `size` runs one size from an
empty database, `__main__` runs each size in a database of its own and prints what came of it.
"""
