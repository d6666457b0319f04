"""Operators that bind more or less than an await."""


async def view_compares(request):
    return FAULT == FAULT, not FAULT, FAULT is None


async def view_joins(request):
    return FAULT or "none", FAULT and "some", FAULT if FAULT else "else"


async def view_computes(request):
    return str(FAULT) * 2, len(str(FAULT)) ** 2, -len(str(FAULT)), [*[FAULT], 1]


async def view_contains(request):
    return FAULT in [FAULT], "x" not in str(FAULT)


async def view_in_test(request):
    while FAULT is not None and str(FAULT):
        return "first"
    return "second"


async def view_slices(request):
    return str(FAULT)[: len(str(FAULT)) : 2]
