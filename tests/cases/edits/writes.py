"""Places that are written to, not read."""


class Thing:
    pass


async def view_key(request):
    kept = {}
    kept[str(FAULT)] = FAULT
    kept[0], kept[1] = FAULT, FAULT
    return kept


async def view_attribute(request):
    thing = Thing()
    thing.found = FAULT
    (found := FAULT)
    return thing.found, found


async def view_adds(request):
    total = [1]
    total += [FAULT]
    total[0] += len(str(FAULT))
    return total


async def view_deletes(request):
    kept = {str(FAULT): 1, "other": 2}
    del kept[str(FAULT)]
    return kept


async def view_loops(request):
    kept = {}
    for kept[str(FAULT)] in (1, 2):
        pass
    return kept


async def view_shadows(request):
    Dish = time = get_object_or_404 = how_many = cache = None
    return Dish, time, get_object_or_404, how_many, cache
