"""stub"""

from typing import Any


def convert(work: Any, notes: Any) -> Any: ...
def read(path: Any) -> Any: ...
