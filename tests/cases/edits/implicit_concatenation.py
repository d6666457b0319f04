"""Texts that join because they stand beside each other."""


async def view_in_parts(request):
    return ("a" "b"
            f"{FAULT}" "c"
            "d")


async def view_as_argument(request):
    return str(("one " 'two'), *[]) + str(FAULT) + "three" "four"


async def view_in_format(request):
    return f"{FAULT!r:>{9}}" "-" f'{"x"}{FAULT}'


async def view_shows_its_code(request):
    return f"{FAULT=}"[:0] + "same"
