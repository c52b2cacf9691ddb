"""The entry point of ``rapport`` and of ``python -m gateway``.

Every way out leads through ``end_process``: a process that made a Temporal client may not end otherwise.
"""

import sys

from workers import garbage

garbage.while_starting()  # before what takes long to import

from gateway.cli.app import run  # noqa: E402
from workers.ending import end_process  # noqa: E402


def main() -> None:
    """Run the command line and end the process with its exit code."""
    try:
        code = run(sys.argv[1:])
    except KeyboardInterrupt:
        code = 130
    except BaseException:
        # Only with RAPPORT_DEBUG=1 does anything come this far.
        sys.excepthook(*sys.exc_info())
        code = 2
    end_process(code)


if __name__ == "__main__":
    main()
