"""python -m p2plib"""

from p2plib.cli import main

raise SystemExit(main())
