"""What is known about other people's code: derived by running it, shipped as data files."""
