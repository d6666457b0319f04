"""The rules of `freeloop check`: one file each, in a folder for each family."""
