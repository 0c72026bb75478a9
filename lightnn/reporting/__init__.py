"""All measures of a network at once: `python -m lightnn report FILE|MODEL`, and networks beside each other.

- `published.py`: the networks that have a name, the images that they take, accuracies that others state
- `measuring.py`: Measures of one network, and how they are taken
- `page.py`: a file or a name to its report, as text, as .csv or as a picture
- `comparing.py`: `lightnn.compare`, several networks as a table and a Pareto plot
"""

from lightnn.reporting.comparing import Comparison, compare
from lightnn.reporting.measuring import Measures, measure
from lightnn.reporting.page import report
from lightnn.reporting.published import zoo

__all__ = ["Comparison", "Measures", "compare", "measure", "report", "zoo"]
