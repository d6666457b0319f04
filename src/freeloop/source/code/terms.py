"""Terms: what is kept of a function's body, as plain tuples that marshal writes and reads fast.

A syntax tree of 100 000 lines takes hundreds of megabytes, and reading it again takes as long as
parsing. Terms hold the little that questions need; a name is its text, what no question needs is
None, and everything else is a tuple whose first item is one of these tags.
"""

from __future__ import annotations

from typing import Any

# str: a name. None: nothing of interest (a number, an operator between such).
type Term = Any
type Terms = tuple[Term, ...]

# Expressions.
ATTRIBUTE = 1  # base, name, line, column
CALL = 2  # callee, arguments, keywords ((name or None, term), ...), line, column, end line
CONSTANT = 3  # text, bool, int or None
AWAIT = 4  # term, line, column
LAMBDA = 5  # parameter names, body, line
COMPREHENSION = 6  # "list" | "set" | "dict" | "generator", elements, generators, line, column
# generators: ((target, iterable, conditions, is async), ...)
SEQUENCE = 7  # "tuple" | "list" | "set", items
DICT = 8  # keys, values
OPERATION = 9  # operator's name, left, right
BOOLEAN = 10  # terms, is `and`; the second and later ones may not be reached
COMPARE = 11  # operator's name, terms
CHOICE = 12  # test, if true, if false
SUBSCRIPT = 13  # base, index, line, column
STARRED = 14  # term
NAMED = 15  # name, term
PARTS = 16  # terms that are only computed: parts of an f-string, of a slice, an operand
YIELD = 17  # term, line, is `yield from`
SLICE = 18  # terms

# Statements.
EXPRESSION = 30  # term, line
ASSIGN = 31  # targets, term, line
ANNOTATED = 32  # target, annotation, term, line
AUGMENT = 33  # target, term, line
RETURN = 34  # term, line
IF = 35  # test, body, otherwise, line
FOR = 36  # target, iterable, body, otherwise, is async, line, column
WHILE = 37  # test, body, otherwise, line
WITH = 38  # items ((term, target), ...), body, is async, line, column
TRY = 39  # body, handlers ((types, body), ...), otherwise, finally, line
RAISE = 40  # term, line
FUNCTION = 41  # number in the file's table of functions, name
CLASS = 42  # number in the file's table of classes, name
IMPORT = 43  # ((name here, dotted), ...)
MATCH = 44  # subject, bodies, line, the value that each body is for; None where it is no value
GLOBAL = 45  # names
