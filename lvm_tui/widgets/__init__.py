"""Regions of the screen, one a file: a view comes in, messages go out; none of them starts work."""
