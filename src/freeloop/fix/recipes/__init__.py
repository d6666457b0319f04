"""One recipe a file; a module with a global `RECIPE` is one."""
