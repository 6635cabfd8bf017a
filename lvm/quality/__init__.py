"""Before any training: does the data run forwards, and what could a model reach on it?"""
