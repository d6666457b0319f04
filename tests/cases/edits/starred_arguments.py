"""Arguments that are unpacked."""


def pack(*args, **kwargs):
    return args, sorted(kwargs.items())


async def view_beside_stars(request):
    return pack(*[1, 2], FAULT, **{"k": FAULT})


async def view_in_star(request):
    return pack(*[FAULT], **dict(k=FAULT))


async def view_last_with_stars(request):
    return pack(1, *(2, 3), k=FAULT, **{})
