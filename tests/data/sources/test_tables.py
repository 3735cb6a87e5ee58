"""Lists as people write them: delimiters, headers, quoting, encodings, and what is refused by line."""

import pytest

from lit_cnn.data.sources.tables import has_columns, read_table


def _read(tmp_path, content, name="list.csv"):
    file = tmp_path / name
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_table(file)


PAIRS = (["a.jpg", "b.jpg"], ["cat", "dog"])


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.csv", "path,label\na.jpg,cat\nb.jpg,dog\n"),
        ("x.csv", "path;label\r\na.jpg;cat\r\nb.jpg;dog\r\n"),
        ("x.tsv", "path\tlabel\na.jpg\tcat\nb.jpg\tdog"),
        ("x.csv", "\ufeffpath,label\na.jpg,cat\n\n,\nb.jpg,dog\n\n"),
        ("x.csv", '"path", "label"\n"a.jpg", "cat"\n"b.jpg", "dog"\n'),
        ("x.csv", "label,File Name\ncat,a.jpg\ndog,b.jpg\n"),
        ("x.csv", "Image_ID,Category\na.jpg,cat\nb.jpg,dog\n"),
        ("x.csv", "a.jpg,cat\nb.jpg,dog\n"),
        ("x.csv", "cat,a.jpg\ndog,b.jpg\n"),
        ("x.txt", "a.jpg cat\nb.jpg dog\n"),
        ("x.txt", "a.jpg\tcat\t0\t0\t9\t9\nb.jpg\tdog\t0\t0\t9\t9\n"),
        ("x.csv", "ImageId,PredictionString\na.jpg,cat 1 2 3 4 cat 5 6 7 8 \nb.jpg,dog 1 2 3 4\n"),
    ],
)
def test_forms_of_a_list(tmp_path, name, content):
    table = _read(tmp_path, content, name)
    assert (table.paths, table.labels) == PAIRS
    assert table.splits is None


def test_utf_16_of_spreadsheets_is_read(tmp_path):
    assert _read(tmp_path, "path\tlabel\nä.jpg\tkatze\n".encode("utf-16")).paths == ["ä.jpg"]


def test_quoted_fields_keep_delimiters_quotes_and_newlines(tmp_path):
    table = _read(tmp_path, 'path,label\n"a, ""b"".jpg","big\ncat"\nb.jpg,dog\n')
    assert table.paths[0] == 'a, "b".jpg'
    assert table.labels[0] == "big\ncat"


def test_commas_inside_names_do_not_hide_the_delimiter(tmp_path):
    table = _read(tmp_path, "path;label\na,1.jpg;cat\nb.jpg;dog\n")
    assert table.paths == ["a,1.jpg", "b.jpg"]


def test_blanks_in_paths_of_text_lists(tmp_path):
    assert _read(tmp_path, "my cat.jpg 3\nb.jpg 4\n", "x.txt").paths == ["my cat.jpg", "b.jpg"]


def test_a_comma_in_one_name_of_a_text_list_parts_no_columns(tmp_path):
    """The list was said to have one column only."""
    table = _read(tmp_path, "a.jpg cat\nParis, France 2.jpg cat\nb.jpg dog\n", "x.txt")
    assert table.paths == ["a.jpg", "Paris, France 2.jpg", "b.jpg"]
    assert table.labels == ["cat", "cat", "dog"]


def test_further_columns_are_kept_and_named(tmp_path):
    table = _read(tmp_path, "path,patient,label,age\na.jpg,p1,cat,3\nb.jpg,p2,dog,4\n")
    assert table.columns == {"patient": ["p1", "p2"], "age": ["3", "4"]}
    assert table.notes == ("further columns of list.csv are kept but not read: patient, age",)


@pytest.mark.parametrize("name", ["split", "Set", "data set", "subset", "Usage", "fold"])
def test_a_column_of_splits(tmp_path, name):
    table = _read(tmp_path, f"path,label,{name}\na.jpg,cat,Training\nb.jpg,dog,validation\nc.jpg,dog,TEST\n")
    assert table.splits == ["train", "val", "test"]
    assert table.columns == {}


def test_a_column_of_folds_is_no_split(tmp_path):
    table = _read(tmp_path, "path,label,fold\na.jpg,cat,0\nb.jpg,dog,1\n")
    assert table.splits is None
    assert table.columns == {"fold": ["0", "1"]}
    assert "the column fold of list.csv holds no split names (0, 1)" in table.notes[0]


def test_the_class_column_is_told_where_it_is_not_clear(tmp_path):
    assert _read(tmp_path, "id,dx\na.jpg,cat\n").notes == ("the column dx is read as the class",)
    table = _read(tmp_path, "path,class id,label\na.jpg,7,cat\n")
    assert table.labels == ["cat"]
    assert "read from the column label (there are class id, label)" in table.notes[0]
    assert "has no header: its column 1 is read as the file" in _read(tmp_path, "a.jpg,cat\n").notes[0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("", "holds no rows"),
        ("\n\n", "holds no rows"),
        ("a.jpg\nb.jpg\n", "has one column only; a column path .* and a column label"),
        ("path,age,size\na.jpg,1,2\n", "has the columns path, age, size, which do not say which is the file and"),
        ("first,second\nx,y\n", "has the columns first, second"),
        ("path,label\na.jpg,cat\nb.jpg\n", r"line 3 of .*list\.csv has 1 fields where 2 are expected"),
        ("path,label\na.jpg,cat,dog\n", "line 2 of .* has 3 fields where 2 are expected; quote"),
        (
            "path,label,split\na.jpg,cat,train\nb.jpg,dog,later\n",
            "line 3 of .* has the split 'later', which is not known",
        ),
        ("path,label,split\na.jpg,cat,\n", "line 2 of .* has the split ''"),
        (b"path,label\na.jpg,k\xe4tzchen\n", r"line 2 of .* is not UTF-8 text; save the list as UTF-8"),
        (b"PK\x03\x04\0\0\0", "is not a list but binary data"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(tmp_path, content, words):
    with pytest.raises(ValueError, match=words):
        _read(tmp_path, content)


def test_trailing_delimiters_do_not_matter(tmp_path):
    assert _read(tmp_path, "path,label\na.jpg,cat,\nb.jpg,dog,\n").labels == ["cat", "dog"]


def test_whether_a_header_names_the_columns(tmp_path):
    for name, content in {
        "a.csv": "id,breed\n",
        "b.csv": "x,y\n",
        "c.tsv": "Path\tClass\tz\n",
        "d.csv": "a.jpg,cat\n",
    }.items():
        (tmp_path / name).write_text(content)
    assert [has_columns(tmp_path / name) for name in ("a.csv", "b.csv", "c.tsv", "d.csv", "gone.csv")] == [
        *(True, False, True, False, False)
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_header_is_found_in_each_encoding_that_a_list_may_have(tmp_path, encoding):
    """A UTF-16 list was read where it was named, and not where its folder was."""
    (tmp_path / "labels.csv").write_bytes("path,label\r\nä.jpg,katze\r\n".encode(encoding))
    assert has_columns(tmp_path / "labels.csv")
