import io

from deploy.cli.screen import CLEAR_LINE, DIM, RESET, Screen


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_on_a_terminal_progress_replaces_itself() -> None:
    out = Terminal()
    screen = Screen(out)
    screen.progress("starting", 1.2)
    screen.progress("starting", 2.4)
    screen.say("ready")
    assert f"{DIM}starting … 1 s{RESET}{CLEAR_LINE}{DIM}starting … 2 s{RESET}{CLEAR_LINE}ready\n" == out.getvalue()


def test_elsewhere_progress_is_a_line_for_each_new_thing() -> None:
    out = io.StringIO()
    screen = Screen(out)
    for second in range(5):
        screen.progress("loading" if second < 3 else "warming up", second)
    screen.passing("stopping …")
    screen.remark("done")
    assert "   0 s  loading\n   3 s  warming up\ndone\n" == out.getvalue()
