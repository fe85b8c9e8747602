"""What others wrote, on its way to a terminal."""


def escape(text: str) -> str:
    """``text`` on one line, with each character that is not printable as its escape of Python.

    A terminal obeys control characters: they change its title and clipboard, or hide and turn what
    stands beside them. So nothing of a node, a file or the network reaches it as it came. That are
    C0, C1, separators of lines, marks of direction, and what Unicode does not know.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape", "surrogatepass").decode()
        for each in text
    )
