"""Callables of every kind, each with a way to use it that tells all a caller can notice.

`build(decorate)` makes the callable with the decorator in place and returns a function without arguments that uses it and returns what was
seen. Undecorated and decorated, the same must be seen.
"""

from __future__ import annotations

import asyncio
import contextlib
import contextvars
import functools
import gc
import inspect
from collections.abc import Callable
from typing import Any, overload

Decorate = Callable[..., Any]
CALLABLES: list[tuple[str, Callable[[Decorate], Callable[[], Any]], int]] = []
"""Name, builder, and how many calls its use makes."""

theirs: contextvars.ContextVar[str] = contextvars.ContextVar("theirs", default="unset")


def case(calls: int = 1) -> Callable[[Callable[[Decorate], Callable[[], Any]]], None]:
    def add(build: Callable[[Decorate], Callable[[], Any]]) -> None:
        CALLABLES.append((build.__name__, build, calls))

    return add


def outcome(function: Callable[[], Any]) -> Any:
    """Return what a call gives, or which exception leaves it, with its arguments and cause."""
    try:
        return function()
    except BaseException as error:  # noqa: BLE001  (it is what is looked at)
        return (type(error), error.args, type(error.__cause__), type(error.__context__))


SENTINEL = object()


@case()
def function(decorate):
    @decorate
    def give(value):
        return value

    return lambda: give(SENTINEL) is SENTINEL


@case(2)
def function_with_defaults(decorate):
    @decorate
    def give(a, b=2, *, c=3):
        return a, b, c

    return lambda: (give(1), give(1, c=5, b=4))


@case()
def function_with_positional_only(decorate):
    @decorate
    def give(a, b=2, /, **more):
        return a, b, more

    return lambda: give(1, b=5, a=6)


@case()
def function_with_everything(decorate):
    @decorate
    def give(a, /, b, *rest, c, d=4, **more):
        return a, b, rest, c, d, more

    return lambda: give(1, 2, 3, 4, c=5, self=6, cls=7, function=8, args=9, kwargs=10)


@case()
def function_that_raises(decorate):
    @decorate
    def fail():
        raise LookupError("x", 1)

    return lambda: outcome(fail)


@case()
def function_that_raises_from(decorate):
    @decorate
    def fail():
        try:
            raise KeyError("inner")  # noqa: TRY301  (a chain is what is looked at)
        except KeyError as error:
            raise ValueError("outer") from error

    return lambda: outcome(fail)


@case()
def function_that_is_interrupted(decorate):
    @decorate
    def stop():
        raise KeyboardInterrupt

    return lambda: outcome(stop)


@case()
def function_that_exits(decorate):
    @decorate
    def leave():
        raise SystemExit(3)

    return lambda: outcome(leave)


@case()
def function_that_raises_stop_iteration(decorate):
    @decorate
    def stop():
        raise StopIteration(5)

    return lambda: outcome(stop)


@case(4)
def wrong_calls(decorate):
    @decorate
    def give(a, *, b):
        return a, b

    return lambda: [outcome(lambda: give()), outcome(lambda: give(1)), outcome(lambda: give(1, 2, b=3)), outcome(lambda: give(1, b=2, c=3))]  # noqa: PLW0108


@case(2)
def function_that_remembers_the_caller(decorate):
    @decorate
    def add(item, items=[]):  # noqa: B006  (that is the case)
        items.append(item)
        return items

    return lambda: (list(add(1)), add(2) == [1, 2])


@case()
def function_that_sets_a_variable(decorate):
    @decorate
    def set_it():
        theirs.set("by the tool")

    def use():
        set_it()
        return theirs.get()

    return lambda: contextvars.copy_context().run(use)


@case()
def lambda_function(decorate):
    double = decorate(lambda x: 2 * x)
    return lambda: double(4)


@case(3)
def recursion(decorate):
    @decorate
    def count(n):
        return n if n == 0 else count(n - 1) + 1

    return lambda: count(2)


@case(2)
def methods(decorate):
    class Shop:
        @decorate
        def name(self, suffix):
            return type(self).__name__ + suffix

    return lambda: (Shop().name("!"), Shop.name(Shop(), suffix="?"))


@case(2)
def over_static_method(decorate):
    class Shop:
        @decorate
        @staticmethod
        def add(a, b):
            return a + b

    return lambda: (Shop.add(1, 2), Shop().add(3, b=4))


@case(2)
def under_static_method(decorate):
    class Shop:
        @staticmethod
        @decorate
        def add(a, b):
            return a + b

    return lambda: (Shop.add(1, 2), Shop().add(3, b=4))


@case(2)
def over_class_method(decorate):
    class Shop:
        @decorate
        @classmethod
        def name(cls, suffix):
            return cls.__name__ + suffix

    class Store(Shop):
        pass

    return lambda: (Shop.name("!"), Store().name("?"))


@case(2)
def under_class_method(decorate):
    class Shop:
        @classmethod
        @decorate
        def name(cls, suffix):
            return cls.__name__ + suffix

    return lambda: (Shop.name("!"), Shop().name("?"))


@case()
def under_property(decorate):
    class Shop:
        @property
        @decorate
        def size(self):
            return 7

    return lambda: Shop().size


@case()
def over_a_cache(decorate):
    @decorate
    @functools.lru_cache
    def square(x):
        return x * x

    return lambda: square(3)


@case()
def under_a_cache(decorate):
    @functools.lru_cache
    @decorate
    def square(x):
        return x * x

    return lambda: (square(3), square(3))


@case()
def partial(decorate):
    def add(a, b, c=0):
        return a + b + c

    return lambda: decorate(functools.partial(add, 1, c=2))(5)


@case()
def partial_of_async(decorate):
    async def add(a, b):
        return a + b

    added = decorate(functools.partial(add, 1))
    return lambda: (inspect.iscoroutinefunction(added), asyncio.run(added(2)))


@case()
def callable_object(decorate):
    class Adder:
        def __init__(self):
            self.base = 10

        def __call__(self, x):
            return self.base + x

    return lambda: decorate(Adder())(5)


@case()
def async_callable_object(decorate):
    class Adder:
        async def __call__(self, x):
            return x + 1

    return lambda: asyncio.run(decorate(Adder())(5))


@case(2)
def class_attributes_that_do_not_bind(decorate):
    class Adder:
        def __call__(self, x):
            return x + 1

    class Shop:
        add = decorate(Adder())
        size = decorate(len)

    return lambda: (Shop().add(1), Shop().size([1, 2]))


@case()
def partial_as_class_attribute(decorate):
    """It binds since Python 3.14."""

    def kinds(*args):
        return [type(each).__name__ for each in args]

    class Shop:
        kinds_of = decorate(functools.partial(kinds, 1))

    return lambda: Shop().kinds_of("x")


@case(2)
def cached_method(decorate):
    class Shop:
        @decorate
        @functools.lru_cache  # noqa: B019  (that it keeps the instance is its user's affair)
        def price(self, sku):
            return f"{type(self).__name__} {sku}"

    return lambda: (Shop().price("lamp"), Shop.price(Shop(), "vase"), Shop.price.cache_info().misses > 0)


@case()
def bound_method_as_class_attribute(decorate):
    items = [1, 2, 2]

    class Shop:
        count = decorate(items.count)

    return lambda: Shop().count(2)


@case(2)
def descriptor_of_its_own(decorate):
    class PerInstance:
        def __init__(self, function):
            self.function = function

        def __call__(self, *args):
            return self.function(*args)

        def __get__(self, instance, owner=None):
            return self if instance is None else functools.partial(self.function, instance)

    class Shop:
        @decorate
        @PerInstance
        def name(self, suffix):
            return type(self).__name__ + suffix

    return lambda: (Shop().name("!"), Shop.name(Shop(), "?"))


@case()
def built_in(decorate):
    return lambda: decorate(len)([1, 2, 3])


@case()
def a_class(decorate):
    class Point:
        def __init__(self, x):
            self.x = x

    return lambda: decorate(Point)(4).x


@case()
def overloaded(decorate):
    @overload
    def give(x: int) -> int: ...
    @overload
    def give(x: str) -> str: ...
    @decorate
    def give(x):
        return x

    return lambda: give("a")


@case()
def function_that_returns_a_coroutine(decorate):
    async def answer():
        return 42

    @decorate
    def make():
        return answer()

    return lambda: asyncio.run(make())


@case()
def function_that_returns_an_iterator(decorate):
    @decorate
    def make():
        return iter([1, 2, 3])

    return lambda: list(make())


@case()
def async_function(decorate):
    @decorate
    async def give(value):
        await asyncio.sleep(0)
        return value

    return lambda: (inspect.iscoroutinefunction(give), asyncio.run(give(5)))


@case()
def async_function_that_raises(decorate):
    @decorate
    async def fail():
        await asyncio.sleep(0)
        raise ValueError("x")

    return lambda: outcome(lambda: asyncio.run(fail()))


@case()
def async_function_that_is_cancelled(decorate):
    seen = []

    @decorate
    async def wait():
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError as error:
            seen.append(error.args)
            raise

    async def main():
        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        task.cancel("enough")
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return task.cancelled(), seen

    return lambda: asyncio.run(main())


@case()
def async_function_that_times_out(decorate):
    @decorate
    async def wait():
        await asyncio.sleep(10)

    async def main():
        try:
            await asyncio.wait_for(wait(), 0.01)
        except asyncio.TimeoutError:
            return "timed out"

    return lambda: asyncio.run(main())


@case(3)
def async_functions_side_by_side(decorate):
    @decorate
    async def give(n):
        await asyncio.sleep(0)
        return n

    async def main():
        return await asyncio.gather(give(1), give(2), give(3))

    return lambda: asyncio.run(main())


@case()
def async_method(decorate):
    class Shop:
        @decorate
        async def size(self, extra):
            return 7 + extra

    return lambda: asyncio.run(Shop().size(1))


@case(0)
def async_function_never_awaited(decorate):
    ran = []

    @decorate
    async def run():
        ran.append(1)

    def use():
        run().close()
        return ran

    return use


@case()
def generator(decorate):
    @decorate
    def count(n):
        yield from range(n)

    return lambda: (inspect.isgeneratorfunction(count), list(count(3)))


@case()
def generator_with_send_throw_and_return(decorate):
    @decorate
    def talk():
        heard = []
        for _ in range(3):
            try:
                heard.append((yield len(heard)))
            except KeyError as error:  # noqa: PERF203  (thrown in at each turn)
                heard.append(error.args)
        return heard

    def use():
        talking = talk()
        seen = [next(talking), talking.send("a"), talking.throw(KeyError("b"))]
        try:
            talking.send("c")
        except StopIteration as stop:
            seen.append(stop.value)
        return seen

    return use


@case()
def generator_delegated_to(decorate):
    @decorate
    def inner():
        got = yield 1
        return got

    def outer():
        result = yield from inner()
        yield result

    def use():
        running = outer()
        return next(running), running.send("x")

    return use


@case()
def generator_left_by_break(decorate):
    closed = []

    @decorate
    def count():
        try:
            while True:
                yield 1
        finally:
            closed.append(theirs.get())

    def use():
        for _ in count():
            break
        gc.collect()
        return closed

    return use


@case()
def generator_closed(decorate):
    @decorate
    def count():
        try:
            yield 1
        except GeneratorExit:
            return "late"

    def use():
        counting = count()
        return next(counting), counting.close(), outcome(lambda: next(counting))

    return use


@case()
def generator_that_ignores_close(decorate):
    @decorate
    def stubborn():
        with contextlib.suppress(GeneratorExit):
            yield 1
        yield 2

    def use():
        going = stubborn()
        return next(going), outcome(going.close)[:2], list(going)

    return use


@case()
def generator_that_raises(decorate):
    @decorate
    def fail():
        yield 1
        raise LookupError("x")

    def use():
        failing = fail()
        return next(failing), outcome(lambda: next(failing))[:2], outcome(lambda: next(failing))[:2]

    return use


@case()
def generator_thrown_into(decorate):
    @decorate
    def count():
        yield 1
        yield 2

    def use():
        counting = count()
        next(counting)
        return outcome(lambda: counting.throw(LookupError("x")))[:2], outcome(lambda: next(counting))[:2]

    return use


@case(0)
def generator_never_started(decorate):
    ran = []

    @decorate
    def count():
        ran.append(1)
        yield 1

    def use():
        count().close()
        return ran

    return use


@case(1)
def generator_wrong_call(decorate):
    @decorate
    def count(n):
        yield n

    def first_step(*args):
        return next(count(*args))

    return lambda: outcome(lambda: first_step(1, 2))[:2]


@case()
def generator_with_a_variable(decorate):
    @decorate
    def change():
        theirs.set("inside")
        yield theirs.get()
        yield theirs.get()

    def use():
        seen = []
        for value in change():
            seen += [value, theirs.get()]
            theirs.set("outside")
        return seen

    return lambda: contextvars.copy_context().run(use)


@case()
def async_generator(decorate):
    @decorate
    async def count(n):
        for i in range(n):
            await asyncio.sleep(0)
            yield i

    async def main():
        return [i async for i in count(3)]

    return lambda: (inspect.isasyncgenfunction(count), asyncio.run(main()))


@case()
def async_generator_with_asend_and_athrow(decorate):
    @decorate
    async def talk():
        heard = []
        for _ in range(3):
            try:
                heard.append((yield list(heard)))
            except KeyError as error:  # noqa: PERF203  (thrown in at each turn)
                heard.append(error.args)

    async def main():
        talking = talk()
        seen = [await talking.asend(None), await talking.asend("a"), await talking.athrow(KeyError("b"))]
        try:
            await talking.asend("c")
        except StopAsyncIteration:
            seen.append("end")
        return seen

    return lambda: asyncio.run(main())


@case()
def async_generator_closed(decorate):
    closed = []

    @decorate
    async def count():
        try:
            while True:
                yield 1
        finally:
            await asyncio.sleep(0)
            closed.append(1)

    async def main():
        counting = count()
        await counting.asend(None)
        await counting.aclose()
        return closed

    return lambda: asyncio.run(main())


@case()
def async_generator_left_to_the_loop(decorate):
    closed = []

    @decorate
    async def count():
        try:
            while True:
                yield 1
        finally:
            closed.append(1)

    held = []

    async def main():
        counting = count()
        held.append(counting)
        await counting.asend(None)

    def use():
        errors = []

        async def with_handler():
            asyncio.get_running_loop().set_exception_handler(lambda _, context: errors.append(context))
            await main()

        asyncio.run(with_handler())
        return closed, errors

    return use


@case()
def async_generator_that_raises(decorate):
    @decorate
    async def fail():
        yield 1
        raise LookupError("x")

    async def main():
        failing = fail()
        first = await failing.asend(None)
        try:
            await failing.asend(None)
        except LookupError as error:
            return first, error.args

    return lambda: asyncio.run(main())


@case()
def async_generator_cancelled(decorate):
    @decorate
    async def slow():
        yield 1
        await asyncio.sleep(10)

    async def main():
        async def consume():
            return [i async for i in slow()]

        task = asyncio.create_task(consume())
        await asyncio.sleep(0.01)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task
        return task.cancelled()

    return lambda: asyncio.run(main())
