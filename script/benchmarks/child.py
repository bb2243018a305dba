"""A process for each row: Odoo leaves a lot behind in the process that has imported it."""

import multiprocessing

from devenv.console import SetupError


def in_child(function, *arguments):
    """Call ``function`` in a process of its own and return what it returned."""
    # A fork, so that nothing is imported anew; this process has no threads that it could miss.
    context = multiprocessing.get_context("fork")
    receiver, sender = context.Pipe(duplex=False)
    child = context.Process(target=_call, args=(sender, function, arguments))
    child.start()
    sender.close()
    try:
        return receiver.recv()
    except EOFError:
        raise SetupError(f"{function.__name__} could not be measured: see above.") from None
    finally:
        child.terminate()
        child.join()


def _call(sender, function, arguments):
    sender.send(function(*arguments))
