"""The pipeline: a search in reading order, from settings to the files of its run."""
