"""How fast this trainer is, beside a plain loop of the textbook form, and how the cost of a step grows.

```python
print(bench("laptop").table())
print(grow().table())
```
"""

from p2plib.training.bench.compare import Comparison, bench
from p2plib.training.bench.growth import Growth, grow

__all__ = ["Comparison", "Growth", "bench", "grow"]
