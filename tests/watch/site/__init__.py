"""A Django project in which everything that the watch must find, or must pass over, is planted."""
