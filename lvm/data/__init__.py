"""From files to rows: dialects, vector banks, windows, text, encoders, reference corpora."""
