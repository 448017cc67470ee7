"""Progress: plain lines where nobody watches."""

from ifpref import progress


def test_lines_say_how_far_how_fast_and_how_long(monkeypatch, capsys):
    clock = iter([0.0, 10.0, 16.0, 40.0])
    monkeypatch.setattr(progress.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(progress, "is_live", lambda: False)
    seen = list(progress.track("abc", total=12, what="rows", unit=4, note=lambda s: f"note after {s:.0f} s"))
    assert seen == ["a", "b", "c"]
    assert capsys.readouterr().err.splitlines() == [
        "rows: 8 of 12, 0/s, note after 16 s, 8 s left",  # nothing at 10 s: a line every 15 s at most
        "rows: 12 of 12, 0/s, note after 40 s, 0 s left",
    ]


def test_a_bar_where_someone_watches(monkeypatch, capsys):
    monkeypatch.setattr(progress, "is_live", lambda: True)
    assert list(progress.track(range(3), total=3, what="rows", note=lambda s: "fast")) == [0, 1, 2]
    assert "rows" in capsys.readouterr().err


def test_workers_are_silent(monkeypatch, capsys):
    monkeypatch.setattr(progress, "EVERY_S", 0.0)
    monkeypatch.setenv(progress.WORKER_VARIABLE, "1")
    for is_live in (True, False):
        monkeypatch.setattr(progress, "is_live", lambda live=is_live: live)
        assert list(progress.track(range(3), total=3, what="rows")) == [0, 1, 2]
    assert capsys.readouterr().err == ""
    monkeypatch.delenv(progress.WORKER_VARIABLE)
    list(progress.track(range(3), total=3, what="rows"))
    assert "rows: 3 of 3" in capsys.readouterr().err
