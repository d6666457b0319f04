"""Places that look like the async function and are not."""


async def view_lambda(request):
    return (lambda: FAULT)()


async def view_inner(request):
    def inner():
        return FAULT

    return inner()


async def view_generator(request):
    return list(FAULT for _ in (1, 2)), sum(1 for _ in [FAULT])


async def view_comprehension(request):
    return [FAULT for _ in (1, 2)], {str(FAULT) for _ in (1,)}, [each for each in [FAULT]]


async def view_class_body(request):
    class Inside:
        found = FAULT

    return Inside.found


async def view_default(request):
    def inner(found=FAULT, *, other=lambda: FAULT):
        return found, other()

    return inner()


async def view_key(request):
    return sorted((2, 1), key=lambda each: (each, FAULT is None))


async def view_block(request):
    import threading

    with threading.Lock():
        return FAULT
