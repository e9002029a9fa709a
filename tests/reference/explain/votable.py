"""What astropy reads of a VOTable that `tuning-fork predict --votable` wrote, as JSON; for tests/it/cli/predict.rs.

    python votable.py classes.vot

Fails if the file breaks a rule of the format. Needs astropy.
"""
import json
import sys
import warnings

import numpy as np
from astropy.io.votable import parse_single_table


def cell(value):
    if value is np.ma.masked or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return None
    return float(value) if isinstance(value, (float, np.floating)) else str(value)


warnings.simplefilter("error")
table = parse_single_table(sys.argv[1], verify="exception")
rows = [[cell(value) for value in row] for row in table.array]
print(json.dumps({"names": [field.name for field in table.fields], "rows": rows}))
