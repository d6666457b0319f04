"""One file for each observed library, found by walking this folder.

A probe has `LIBRARY`, the module that must be loaded and the distribution that its version is told
of, and `install(watch)`, which may raise `DoesNotFit`. What it puts in, `Watch.remove` takes out.
`asgiref_hops` is none of them: it stands alone, is loaded by its path, and counts for relief.
"""
