"""Installing an extra: what pip would fetch is looked at first, and asked about where it is much.

`pip_reports/cpu.json` is what pip 23.2 said of `torch==2.13.0` where an index has a wheel for the processor alone, cut
to what is read and with other addresses. `cuda.json` is put together after it, with the packages that
pip names elsewhere.
"""

import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from wares.app.commands import extra
from wares.errors import InputError

REPORTS = Path(__file__).parent / "pip_reports"
WANTED = ("torch==2.13.0", "onnx>=1.17,<2")


class Pip:
    """Stands in for pip: says what it said then, and remembers what it was told."""

    def __init__(self, report: str, *, code: int = 0, stderr: str = "") -> None:
        self.report, self.code, self.stderr, self.told = report, code, stderr, list[list[str]]()

    def __call__(self, command: Sequence[str]) -> "subprocess.CompletedProcess[str]":
        self.told.append(list(command))
        return subprocess.CompletedProcess(command, self.code, self.report, self.stderr)

    @property
    def installed(self) -> bool:
        return any("--dry-run" not in command for command in self.told)


def recorded(name: str) -> Pip:
    return Pip((REPORTS / f"{name}.json").read_text(encoding="utf-8"))


def sizes(torch: int, other: int) -> extra.SizeOf:
    return lambda url: torch if "/torch-" in url else other


def at_a_terminal(monkeypatch: pytest.MonkeyPatch, answer: str | None) -> None:
    """None = there is no terminal."""
    monkeypatch.setattr(sys.stdin, "isatty", lambda: answer is not None, raising=False)
    monkeypatch.setattr("typer.confirm", lambda *_, **__: answer == "y")


def test_a_wheel_for_the_processor_is_fetched_without_asking(monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch, None)
    pip = recorded("cpu")
    found = extra.install(WANTED, yes=False, run=pip, size_of=sizes(190_000_000, 2_000_000))
    assert [part.name for part in found.parts][:2] == ["torch", "fsspec"] and not found.cuda
    assert str(found) == "10 packages, 208 MB"
    look, install = pip.told
    assert look[1:3] == ["-m", "pip"] and {"install", "--dry-run", "--report"} <= set(look)
    assert install[-2:] == list(WANTED) and "--dry-run" not in install


def test_a_cuda_build_is_asked_about_with_its_size(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_a_terminal(monkeypatch, "y")
    pip = recorded("cuda")
    found = extra.install(WANTED, yes=False, run=pip, size_of=sizes(900_000_000, 150_000_000))
    assert len(found.cuda) == 9 and pip.installed
    assert "19 packages, 3.6 GB, a CUDA build with 9 packages for NVIDIA's graphics cards" in capsys.readouterr().err


def test_no_is_an_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch, "n")
    pip = recorded("cuda")
    with pytest.raises(InputError, match="Nothing was fetched"):
        extra.install(WANTED, yes=False, run=pip, size_of=sizes(900_000_000, 150_000_000))
    assert not pip.installed


def test_without_a_terminal_it_stops_and_says_how_to_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch, None)
    pip = recorded("cuda")
    with pytest.raises(InputError, match=r"3\.6 GB.*no terminal.*--yes"):
        extra.install(WANTED, yes=False, run=pip, size_of=sizes(900_000_000, 150_000_000))
    assert not pip.installed


def test_who_agreed_beforehand_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch, None)
    pip = recorded("cuda")
    extra.install(WANTED, yes=True, run=pip, size_of=sizes(900_000_000, 150_000_000))
    assert pip.installed


def test_a_gigabyte_is_asked_about_though_it_is_no_cuda(monkeypatch: pytest.MonkeyPatch) -> None:
    at_a_terminal(monkeypatch, None)
    with pytest.raises(InputError, match=r"10 packages, 1\.0 GB\."):
        extra.install(WANTED, yes=False, run=recorded("cpu"), size_of=sizes(991_000_000, 1_000_000))


def test_a_cuda_build_is_known_where_no_size_is() -> None:
    found = extra.look(WANTED, recorded("cuda"), lambda url: None)
    assert found.asks and found.unknown == 19 and "of unknown size" in str(found)
    some = extra.look(WANTED, recorded("cuda"), lambda url: 900_000_000 if "/torch-" in url else None)
    assert "at least 900 MB" in str(some)


def test_a_version_can_name_its_cuda_too() -> None:
    assert extra.Fetch((extra.Part("torch", "2.13.0+cu130", 5),)).cuda == ("torch",)
    assert not extra.Fetch((extra.Part("torch", "2.13.0+cpu", 5),)).cuda


def test_what_is_there_is_not_installed_again() -> None:
    pip = Pip('{"version": "1", "install": []}')
    assert not extra.install(WANTED, yes=False, run=pip).parts and not pip.installed


def test_pip_failing_is_told_in_its_own_words() -> None:
    stderr = "WARNING: slow\nERROR: No matching distribution found for torch==2.13.0\nWARNING: a newer pip\n"
    with pytest.raises(InputError, match=r"No matching distribution.*install 'torch==2\.13\.0'"):
        extra.look(WANTED, Pip("", code=1, stderr=stderr))


def test_a_python_without_pip_is_told() -> None:
    with pytest.raises(InputError, match="No module named pip"):
        extra.look(WANTED, Pip("", code=1, stderr=f"{sys.executable}: No module named pip\n"))


@pytest.mark.parametrize("said", ["", "no JSON", "{}", '{"install": [{}]}', '{"install": 3}', "[]"])
def test_a_report_that_cannot_be_read_is_told(said: str) -> None:
    with pytest.raises(InputError, match="report"):
        extra.look(WANTED, Pip(said))


def test_the_extra_asks_for_torch_and_not_for_what_developers_need() -> None:
    wanted = extra.requirements("train")
    assert any(one.startswith("torch==") for one in wanted) and not any(";" in one for one in wanted)
    assert not any(one.startswith(("pytest", "numpy")) for one in wanted)
    assert extra.requirements("nothing") == ()


# -- sizes -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def address() -> Iterator[str]:
    """A server that says sizes, but for files called quiet, and gives nothing away."""

    class Sizes(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.send_response(404 if "missing" in self.path else 200)
            if "quiet" not in self.path:
                self.send_header("Content-Length", "12345")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = HTTPServer(("127.0.0.1", 0), Sizes)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_size_is_asked_without_fetching(address: str) -> None:
    assert extra.size_at(f"{address}/torch.whl") == 12345
    assert extra.size_at(f"{address}/quiet.whl") is None


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_file_that_is_not_there_has_no_size(address: str, tmp_path: Path) -> None:
    assert extra.size_at(f"{address}/missing.whl") is None
    assert extra.size_at((tmp_path / "none.whl").as_uri()) is None
    assert extra.size_at("ftp://wheels.example/torch.whl") is None


def test_a_wheel_in_a_folder_has_its_own_size(tmp_path: Path) -> None:
    path = tmp_path / "a wheel.whl"
    path.write_bytes(b"x" * 77)
    assert extra.size_at(path.as_uri()) == 77
