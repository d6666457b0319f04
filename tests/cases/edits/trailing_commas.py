"""Commas at the end, alone and over several lines."""


async def view_one_tuple(request):
    return FAULT,


async def view_in_call(request):
    return str(FAULT,), [FAULT,], {FAULT.__class__.__name__: FAULT,}


async def view_over_lines(request):
    return dict(
        one=FAULT,  # first
        two=FAULT,
    )


async def view_target(request):
    found, = (FAULT,)
    return found
