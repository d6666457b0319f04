"""Code that runs while the module is loaded, before and after what an edit adds."""
# A comment that belongs to the next line.
READY = [name for name in ("a", "b")]  # before every import

if READY:
    from collections import OrderedDict


@lambda function: function
async def view_decorated(request): return FAULT


class Holder:
    kept = OrderedDict(a=1)

    @staticmethod
    async def take(request):
        return FAULT


async def view_of_class(request):
    return await Holder.take(request), Holder.kept


async def view_before_its_helper(request):
    return later(FAULT)


def later(found):
    import asyncio

    return found, asyncio.__name__
