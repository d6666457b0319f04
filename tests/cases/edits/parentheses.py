"""Parentheses that are there, needed, or over several lines."""


async def view_double(request):
    return ((FAULT))


async def view_attribute(request):
    return (FAULT).__class__.__name__, FAULT.__class__.__name__


async def view_over_lines(request):
    return (
        FAULT  # the reason
        .__class__
        .__name__
    )


async def view_called(request):
    return FAULT.__str__().upper()


async def view_index(request):
    return [FAULT][0], (FAULT,)[0]


async def view_backslash(request):
    found = \
        FAULT
    return found
