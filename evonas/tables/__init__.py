"""Tables: measured truth in CSV files, looked up by architecture."""
