"""From a passing checkpoint to the file that a service answers with, and back.

What a screen needs imports no torch: state.py (what is in production, what was left unfinished),
planning.py (what will change), ledger.py. promoting.py does the work.
"""
