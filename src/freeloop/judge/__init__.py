"""Judge: what measured rounds allow to conclude; knows the model and nothing else."""
