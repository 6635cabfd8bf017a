"""5CAT, the five-to-one causal alignment test: does a model predict the NEXT chunk?

gates.py is pure Python (thresholds, verdicts, words); battery.py runs the five tests.
"""
