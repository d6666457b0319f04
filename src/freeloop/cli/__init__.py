"""The command line: parse arguments, call `freeloop.api`, show the result, end with a code."""
