"""A small Django project with a view for each thing that relief could spoil."""
