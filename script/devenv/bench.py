"""script/bench [NAME ...] [--json]: measure; without a name, all there is."""

import benchmarks

from .environment import environment


def main(arguments):
    with environment() as env:
        return benchmarks.main(env, arguments)
