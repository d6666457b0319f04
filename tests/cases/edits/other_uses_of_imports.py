"""What was imported for the fault is used elsewhere too."""


async def view_fault(request):
    return FAULT


def elsewhere():
    return sorted(name for name in ("time", "Dish", "get_object_or_404") if name in globals())


async def view_elsewhere(request):
    return elsewhere()
