"""Float graph to integer graph: static ranges, a search for small tables, and the report."""
