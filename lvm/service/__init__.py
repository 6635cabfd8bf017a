"""One HTTP service a model. Importing this, or the client, imports neither torch nor numpy."""
