"""Tables: measured truth in files, looked up by architecture.

- `table`: `Table`, columns of numbers and texts with one architecture a row; `load` reads it, `join` joins two.
- `known`: public tables, and the folder where names are looked up.
- `csv_file` and `curves`: the files; `architectures`: the columns that hold the architecture.
- `direction`: whether high or low is better in a column; `reading`: a column that plays a training.
"""
