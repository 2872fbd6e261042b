"""A user's file becomes JSON Lines whole or not at all; public archives are checked, then read safely."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import random
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from seqline.data.archives import ArchiveLimits, download
from seqline.data.imdb import unpack_imdb
from seqline.data.readers import Row, rows_in
from seqline.data.sources import SOURCES, ImportReport, Source, get, import_file
from seqline.data.streams import Limits
from seqline.errors import InputError, SeqlineError


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n")[:-1]]


def everything_below(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*"))


def test_import_adds_ids_in_front_and_keeps_the_text(tmp_path: Path) -> None:
    source = tmp_path / "reviews.csv"
    source.write_bytes(b'text,label,stars\r\n"good, ""really""\n",pos,007\r\nnull,neg,NA\r\n')
    target = tmp_path / "data" / "mine" / "train" / "imported.jsonl"
    report = import_file(source, target, required=["text", "label"])
    assert report == ImportReport(rows=2, columns=("id", "text", "label", "stars"), added_id=True)
    assert target.read_bytes() == (
        b'{"id":"train-0000001","text":"good, \\"really\\"\\n","label":"pos","stars":"007"}\n'
        b'{"id":"train-0000002","text":"null","label":"neg","stars":"NA"}\n'
    )


def test_import_keeps_an_id_column_where_it_is(tmp_path: Path) -> None:
    source = tmp_path / "reviews.jsonl"
    source.write_text('{"text": "a", "id": 7}\n{"id": 7, "text": null}\n', encoding="utf-8")
    report = import_file(source, tmp_path / "out.jsonl", required=["text"])
    assert report == ImportReport(rows=2, columns=("text", "id"), added_id=False)
    assert lines(tmp_path / "out.jsonl") == [{"text": "a", "id": 7}, {"text": None, "id": 7}]


def test_import_of_an_import_is_the_same_bytes(tmp_path: Path) -> None:
    source = tmp_path / "t.jsonl"
    source.write_text(
        '{"id":"x","s":"\\u0085\\u2028\\u0007é😀","f":0.1,"i":-9,"b":false,"n":null}\n', encoding="utf-8"
    )
    import_file(source, tmp_path / "1.jsonl", required=[])
    import_file(tmp_path / "1.jsonl", tmp_path / "2.jsonl", required=[])
    assert (tmp_path / "1.jsonl").read_bytes() == (tmp_path / "2.jsonl").read_bytes()
    assert lines(tmp_path / "1.jsonl") == lines(source)


def test_import_limit_takes_the_first_rows(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text("a\n1\n2\n3\nbroken,row\n")
    assert import_file(source, tmp_path / "out.jsonl", required=["a"], limit=2).rows == 2
    assert [row["a"] for row in lines(tmp_path / "out.jsonl")] == ["1", "2"]
    with pytest.raises(InputError, match="at least 1"):
        import_file(source, tmp_path / "none.jsonl", required=["a"], limit=0)


@pytest.mark.parametrize(
    ("wanted", "hint"),
    [("txt", "did you mean 'text'"), ("Label", "did you mean 'label'"), ("zzz", "name one of")],
)
def test_import_names_the_columns_and_the_nearest(tmp_path: Path, wanted: str, hint: str) -> None:
    source = tmp_path / "t.csv"
    source.write_text("text,label\na,b\n")
    with pytest.raises(InputError) as caught:
        import_file(source, tmp_path / "data" / "out.jsonl", required=["text", wanted])
    assert "'text', 'label'" in str(caught.value)
    assert hint in str(caught.value)
    assert everything_below(tmp_path) == [source]


BROKEN = {
    "t.csv": b"text,label\n" + b"a,b\n" * 5000 + b"a,b,c\n",
    "open.csv": b"text,label\n" + b"a,b\n" * 5000 + b'a,"b\n',
    "empty.csv": b"text,label\n",
    "latin.csv": b"text,label\na,b\n\xe9,b\n",
    "cut.csv.gz": gzip.compress(b"text,label\n" + random.Random(0).randbytes(9000).hex().encode() + b",b\n")[
        :-9
    ],
    "t.jsonl": b'{"text": 1, "label": 2}\n{"text": 1}\n',
}


@pytest.mark.parametrize("name", BROKEN)
def test_import_that_fails_leaves_nothing_behind(tmp_path: Path, name: str) -> None:
    source = tmp_path / name
    source.write_bytes(BROKEN[name])
    (tmp_path / "data").mkdir()
    with pytest.raises(InputError):
        import_file(source, tmp_path / "data" / "mine" / "train" / "out.jsonl", required=["text"])
    assert everything_below(tmp_path) == sorted([source, tmp_path / "data"])


def test_import_that_is_interrupted_keeps_the_old_file(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text("text\n" + "a\n" * 100)
    target = tmp_path / "train" / "out.jsonl"
    import_file(source, target, required=["text"], limit=1)
    before = target.read_bytes()

    def interrupt(row: Row) -> None:
        if row.line == 50:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        import_file(source, target, required=["text"], check=interrupt)
    assert target.read_bytes() == before
    assert everything_below(tmp_path) == sorted([source, target, target.parent])


def test_import_passes_limits_on(tmp_path: Path) -> None:
    source = tmp_path / "t.csv"
    source.write_text("text\nabcdef\n")
    with pytest.raises(InputError, match="at most 5"):
        import_file(source, tmp_path / "o.jsonl", required=[], limits=Limits(field_characters=5))


TEXTS = {
    "train/pos/0_9": "Great, <br /><br />really \u0085 great.",
    "train/neg/0_3": "Bad \x08 film\n",
    "train/pos/10_10": "Ten.",
    "train/neg/2_1": "Two.",
    "test/pos/1_7": "日本語 👍",
    "test/neg/0_4": "Four.",
    "train/unsup/0_0": "Who knows?",
    "train/unsup/1_0": " spaces ",
}
URLS = "".join(f"http://www.imdb.com/title/tt{7000000 + i}/usercomments\n" for i in range(11))


def member(name: str, content: bytes = b"", **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    info.size = len(content)
    for key, value in attributes.items():
        setattr(info, key, value)
    return info, content


def official_members() -> list[tuple[tarfile.TarInfo, bytes]]:
    members = [
        member("aclImdb", type=tarfile.DIRTYPE),
        member("aclImdb/README", b"Large Movie Review Dataset v1.0"),
        member("aclImdb/train/labeledBow.feat", b"9 0:9\n"),
    ]
    members += [member(f"aclImdb/{name}.txt", text.encode()) for name, text in TEXTS.items()]
    for part in ("train/urls_pos", "train/urls_neg", "train/urls_unsup", "test/urls_pos", "test/urls_neg"):
        members.append(member(f"aclImdb/{part}.txt", URLS.encode()))
    return members


def write_archive(path: Path, members: list[tuple[tarfile.TarInfo, bytes]]) -> Path:
    with tarfile.open(path, "w:gz") as archive:
        for info, content in members:
            archive.addfile(info, io.BytesIO(content))
    return path


def source_for(
    path: Path, address: str = "https://example.org/aclImdb_v1.tar.gz", **changes: object
) -> Source:
    facts: dict[str, object] = {
        "title": "Tiny",
        "address": address,
        "algorithm": "md5",
        "digest": hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest(),
        "max_bytes": 1 << 20,
        "unpack": unpack_imdb,
        "licence": "none",
    }
    return Source(**{**facts, **changes})  # type: ignore[arg-type]


def test_imdb_keeps_split_texts_and_the_unlabelled_part(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", official_members())
    into = tmp_path / "data" / "imdb"
    report = get("tiny", into=into, local=archive, sources={"tiny": source_for(archive)})
    assert report.rows == {
        "unlabelled/imdb_unsup.jsonl": 2,
        "test/imdb_test.jsonl": 2,
        "train/imdb_train.jsonl": 4,
    }
    assert report.digest.startswith("md5:")
    train = lines(into / "train" / "imdb_train.jsonl")
    assert [row["id"] for row in train] == [
        "train/neg/0_3",
        "train/pos/0_9",
        "train/neg/2_1",
        "train/pos/10_10",
    ]
    assert train[1] == {
        "id": "train/pos/0_9",
        "text": TEXTS["train/pos/0_9"],
        "label": "pos",
        "rating": 9,
        "movie": "tt7000000",
    }
    assert train[3]["movie"] == "tt7000010"
    for part in ("train", "test", "unlabelled"):
        for row in rows_in(into / part):
            assert list(row.values) == ["id", "text", "label", "rating", "movie"]
            assert row.values["text"] == TEXTS[str(row.values["id"])]
    unlabelled = lines(into / "unlabelled" / "imdb_unsup.jsonl")
    assert [(row["label"], row["rating"]) for row in unlabelled] == [(None, None), (None, None)]


def test_order_of_the_archive_does_not_matter(tmp_path: Path) -> None:
    found = []
    for number, members in enumerate((official_members(), official_members()[::-1])):
        archive = write_archive(tmp_path / f"{number}.tar.gz", members)
        get("tiny", into=tmp_path / str(number), local=archive, sources={"tiny": source_for(archive)})
        found.append([p.read_bytes() for p in everything_below(tmp_path / str(number)) if p.is_file()])
    assert found[0] == found[1]


def test_wrong_digest_is_named_and_nothing_is_written(tmp_path: Path) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", official_members())
    md5 = hashlib.md5(archive.read_bytes(), usedforsecurity=False).hexdigest()
    with pytest.raises(InputError) as caught:
        get("imdb", into=tmp_path / "data", local=archive)
    assert md5 in str(caught.value)
    assert "7c2ac02c03563afcf9b574c7e56c153a" in str(caught.value)
    sha256 = hashlib.sha256(archive.read_bytes()).hexdigest()
    good = source_for(archive, algorithm="sha256", digest=sha256)
    bad = source_for(archive, algorithm="sha256", digest="0" * 64)
    with pytest.raises(InputError, match=sha256):
        get("tiny", into=tmp_path / "data", local=archive, sources={"tiny": bad})
    assert everything_below(tmp_path) == [archive]
    assert sum(get("tiny", into=tmp_path / "data", local=archive, sources={"tiny": good}).rows.values()) == 8


def drop(name: str) -> list[tuple[tarfile.TarInfo, bytes]]:
    return [(info, content) for info, content in official_members() if not info.name.startswith(name)]


EVIL = {
    "absolute": ([*official_members(), member("/etc/x", b"x")], "an unsafe path"),
    "climbing": ([*official_members(), member("aclImdb/../../x", b"x")], "an unsafe path"),
    "backslash": ([*official_members(), member("..\\x", b"x")], "an unsafe path"),
    "escape": ([*official_members(), member("aclImdb/\x1b[2J", b"x")], "an unsafe path"),
    "symlink": (
        [*official_members(), member("aclImdb/l", type=tarfile.SYMTYPE, linkname="/etc/passwd")],
        "a link to",
    ),
    "hardlink": (
        [*official_members(), member("aclImdb/l", type=tarfile.LNKTYPE, linkname="aclImdb/README")],
        "a link",
    ),
    "device": ([*official_members(), member("aclImdb/d", type=tarfile.CHRTYPE)], "a device"),
    "pipe": ([*official_members(), member("aclImdb/p", type=tarfile.FIFOTYPE)], "a device, pipe"),
    "twice": (
        [*official_members(), member("aclImdb/train/pos/0_8.txt", b"x")],
        "second review with the number 0",
    ),
    "strange": ([*official_members(), member("aclImdb/train/pos/notes.txt", b"x")], "no review"),
    "latin": ([*official_members(), member("aclImdb/train/pos/1_8.txt", b"\xe9")], "not UTF-8"),
    "nul": ([*official_members(), member("aclImdb/train/pos/1_8.txt", b"\0")], "NUL"),
    "blank": ([*official_members(), member("aclImdb/train/pos/1_8.txt", b"")], "an empty review"),
    "unlisted": ([*official_members(), member("aclImdb/train/pos/11_8.txt", b"x")], "no film on line 11"),
    "no_test": (drop("aclImdb/test/"), "no reviews for test"),
    "no_unsup": (drop("aclImdb/train/unsup"), "no reviews for unlabelled"),
    "no_urls": (drop("aclImdb/train/urls_neg"), "no film on line 0"),
    "nothing": ([], "an empty archive"),
}


@pytest.mark.parametrize("name", EVIL)
def test_unsafe_or_strange_archive_is_refused_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    members, part = EVIL[name]
    archive = write_archive(tmp_path / "a.tar.gz", members)
    with pytest.raises(InputError, match=part):
        get("tiny", into=tmp_path / "data", local=archive, sources={"tiny": source_for(archive)})
    assert everything_below(tmp_path) == [archive]


@pytest.mark.parametrize(
    ("limits", "part"),
    [
        (ArchiveLimits(members=10), "more than 10 members"),
        (ArchiveLimits(member_bytes=100), "at most 100 bytes per file"),
        (ArchiveLimits(total_bytes=5000), "unpacks to more than 5,000 bytes"),
    ],
)
def test_archive_beyond_its_limits_is_refused(tmp_path: Path, limits: ArchiveLimits, part: str) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", official_members())
    with archive.open("rb") as handle, pytest.raises(InputError, match=part):
        unpack_imdb(handle, str(archive), tmp_path / "data", limits)
    assert everything_below(tmp_path) == [archive]


@pytest.mark.parametrize("kept", [30, 400, -40])
def test_cut_archive_is_refused(tmp_path: Path, kept: int) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", official_members())
    archive.write_bytes(archive.read_bytes()[:kept])
    with pytest.raises(InputError, match="truncated gzip"):
        get("tiny", into=tmp_path / "data", local=archive, sources={"tiny": source_for(archive)})
    cut = gzip.compress(
        gzip.decompress(write_archive(tmp_path / "b.tar.gz", official_members()).read_bytes())[:5300]
    )
    archive.write_bytes(cut)
    with pytest.raises(InputError, match=r"damaged tar|cut short"):
        get("tiny", into=tmp_path / "data", local=archive, sources={"tiny": source_for(archive)})
    assert not (tmp_path / "data").exists()


def test_unknown_data_set_and_missing_copy(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="did you mean 'imdb'"):
        get("imbd", into=tmp_path)
    with pytest.raises(InputError, match="no such file"):
        get("imdb", into=tmp_path, local=tmp_path / "absent.tar.gz")


def test_registered_sources_are_https_with_a_digest() -> None:
    for source in SOURCES.values():
        assert source.address.startswith("https://")
        assert len(source.digest) == {"md5": 32, "sha256": 64}[source.algorithm]


class _Server(BaseHTTPRequestHandler):
    content = b""
    requests = 0

    def do_GET(self) -> None:
        type(self).requests += 1
        if self.path.startswith("/to-"):
            address = {"/to-file": "file:///etc/passwd", "/to-http": "http://example.org/x"}[self.path]
            self.send_response(302)
            self.send_header("Location", address)
            self.end_headers()
            return
        if self.path == "/absent":
            self.send_error(404)
            return
        self.send_response(200)
        if self.path != "/no-length":
            promised = len(self.content) + (100 if self.path == "/short" else 0)
            self.send_header("Content-Length", str(promised))
        self.end_headers()
        self.wfile.write(self.content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass


@pytest.fixture
def server() -> Iterator[str]:
    _Server.requests = 0
    with ThreadingHTTPServer(("127.0.0.1", 0), _Server) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize("page", ["aclImdb_v1.tar.gz", "no-length"])
def test_download_is_checked_kept_and_not_repeated(tmp_path: Path, server: str, page: str) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", official_members())
    _Server.content = archive.read_bytes()
    seen: list[tuple[int, int | None]] = []
    options = {
        "downloads": tmp_path / "downloads",
        "progress": lambda done, total: seen.append((done, total)),
        "sources": {"tiny": source_for(archive, f"{server}/{page}")},
    }
    for attempt in ("first", "second"):
        report = get("tiny", into=tmp_path / attempt, **options)  # type: ignore[arg-type]
        assert sum(report.rows.values()) == 8
    kept = tmp_path / "downloads" / page
    assert report.archive == kept
    assert kept.read_bytes() == _Server.content
    assert _Server.requests == 1
    size = len(_Server.content)
    assert seen[-1] == (size, None if page == "no-length" else size)
    kept.write_bytes(b"damaged on disk")
    get("tiny", into=tmp_path / "third", **options)  # type: ignore[arg-type]
    assert _Server.requests == 2


@pytest.mark.parametrize(
    ("page", "kind", "part"),
    [
        ("other.tar.gz", InputError, "md5"),
        ("short", SeqlineError, "the connection ended after"),
        ("absent", SeqlineError, "404"),
        ("to-file", SeqlineError, "not allowed"),
        ("to-http", InputError, "kind http"),
    ],
)
def test_failed_download_leaves_nothing(
    tmp_path: Path, server: str, page: str, kind: type[SeqlineError], part: str
) -> None:
    archive = write_archive(tmp_path / "a.tar.gz", official_members())
    _Server.content = b"not the archive"
    with pytest.raises(SeqlineError, match=part) as caught:
        get(
            "tiny",
            into=tmp_path / "data",
            downloads=tmp_path,
            sources={"tiny": source_for(archive, f"{server}/{page}")},
        )
    assert type(caught.value) is kind
    assert everything_below(tmp_path) == [archive]


def test_download_has_a_size_cap(tmp_path: Path, server: str) -> None:
    _Server.content = b"x" * 2000
    with pytest.raises(InputError, match="more than 1,000 bytes"):
        download(f"{server}/x", tmp_path / "x", check=lambda handle, name: None, max_bytes=1000)
    assert everything_below(tmp_path) == []


@pytest.mark.parametrize(
    "address",
    [
        "http://example.org/a",
        "ftp://example.org/a",
        "file:///etc/passwd",
        "a.tar.gz",
        "http://127.0.0.1.example.org/a",
    ],
)
def test_only_https_is_downloaded(tmp_path: Path, address: str) -> None:
    with pytest.raises(InputError, match="https"):
        download(address, tmp_path / "x", check=lambda handle, name: None, max_bytes=10)


def test_nobody_at_the_address_is_not_the_users_mistake(tmp_path: Path) -> None:
    with pytest.raises(SeqlineError, match="the download failed") as caught:
        download("http://127.0.0.1:1/x", tmp_path / "x", check=lambda handle, name: None, max_bytes=10)
    assert caught.value.exit_code == 1
    assert "--from" in str(caught.value)
    assert everything_below(tmp_path) == []
