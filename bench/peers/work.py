"""The tool that all SDKs record. Imports nothing: what a process has loaded is counted."""


def search_orders(order: str, limit: int) -> dict[str, object]:
    """Return about 300 bytes of JSON that name the order."""
    return {
        "order": order,
        "receipt": "result-" + order[6:],
        "status": "shipped",
        "items": [
            {"sku": "SKU-1043", "name": "Desk lamp, brass", "quantity": 2, "price": 39.5},
            {"sku": "SKU-2210", "name": "Bulb E14, warm"},
        ],
        "address": {"street": "12 Harbour Road", "city": "Lund"},
        "limit": limit,
    }


async def search_orders_async(order: str, limit: int) -> dict[str, object]:
    """Return the same, without waiting for anything."""
    return search_orders(order, limit)


def orders(count: int) -> list[str]:
    """Return arguments that tell the calls apart."""
    return [f"order-{number:05d}" for number in range(count)]
