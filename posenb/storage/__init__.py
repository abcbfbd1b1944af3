"""Files and folders behind URLs: the one room that knows fsspec."""
