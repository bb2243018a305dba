"""What becomes of a value that changed over there since it was last seen: the flow's rule."""

#: Whose value counts is said by the flow, but what writes against us again and again is no
#: conflict any more: somebody else believes to own the value too. Then the job stops itself.
MOST_ROUNDS = 4

SEND = "send"  # Odoo's value, compared with what the store holds now
KEEP = "keep"  # the store's value stays; Odoo's next change is sent again
ASK = "ask"  # a person decides: Resend or Cancel
STOP = "stop"  # a ping-pong: a person has to find who else writes


def decide(rule, rounds, ours_at=None, theirs_at=None):
    """
    :param str rule: of the flow: ``odoo_wins``, ``external_wins``, ``newest_wins``, ``ask``
    :param int rounds: how often this job met a conflict, with this one
    :param ours_at: when Odoo's value changed, ``None`` where that is not known
    :param theirs_at: when the store's did
    :return: one of the above
    """
    if rule == "newest_wins":
        if not ours_at or not theirs_at:
            return ASK
        rule = "external_wins" if theirs_at > ours_at else "odoo_wins"
    if rule == "external_wins":
        return KEEP
    if rule == "odoo_wins":
        return SEND if rounds < MOST_ROUNDS else STOP
    return ASK
