"""Whatever a name holds, its path stays in the store, is legal on every system and belongs to one item only."""

from __future__ import annotations

import re
import timeit
import unicodedata
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from civitscrape.archive.paths import DEFAULT_TEMPLATE, collision_key, inside, part_path, render, validate
from civitscrape.exceptions import ArchiveError, ArgumentError
from tests.archive.hostile import breaks_windows_rule, hostile_text

BY_PROMPT = "{creator}/{prompt}_{id}{ext}"
TEMPLATES = [
    DEFAULT_TEMPLATE,
    BY_PROMPT,
    "{creator}/{id}_{prompt}{ext}",
    "{prompt}/{creator}/{id}{ext}",
    "{id}/{prompt}{ext}",
    "{creator} - {prompt}/{id} of {creator}{ext}",
    "co{prompt}/com{id}{ext}",
    "{creator}{prompt}.{id}{ext}",
    "{prompt|untold}/{creator|prompt|nobody}-{id}{ext}",
    "{creator?{creator}, }with{prompt? {prompt}} {id}{ext}",
]

ids = st.one_of(st.integers(0, 10**12), hostile_text.filter(bool))
values = st.one_of(st.none(), hostile_text, st.integers(), st.booleans())
records = st.fixed_dictionaries(
    {"id": ids, "creator": values, "prompt": values, "ext": st.one_of(st.sampled_from([".png", ".mp4"]), hostile_text)}
)
templates = st.sampled_from(TEMPLATES)


@given(templates, records)
def test_every_part_is_legal_on_windows_macos_and_linux(template, record):
    path = render(template, record)

    parts = path.split("/")
    assert len(parts) == template.count("/") + 1
    assert [breaks_windows_rule(part) for part in parts] == [None] * len(parts)
    assert max(len(part.encode()) for part in parts) <= 255
    assert len(path.encode("utf-16-le")) / 2 <= 240
    assert unicodedata.is_normalized("NFC", path)
    assert not any(part.startswith((" ", ".")) for part in parts)
    assert not any(unicodedata.category(sign) in {"Cc", "Cs", "Zl", "Zp"} for sign in path)
    assert not any(unicodedata.bidirectional(sign) in {"RLO", "LRO", "RLE", "LRE", "PDF", "RLI"} for sign in path)


@settings(deadline=None)
@given(templates, records)
def test_a_rendered_path_can_be_made_here_and_lies_in_the_store(tmp_path_factory, template, record):
    store = tmp_path_factory.mktemp("store")

    path = inside(store, render(template, record))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"lantern")

    assert store.resolve() in path.resolve().parents
    assert [one for one in store.rglob("*") if one.is_file()] == [path]
    assert store / ".parts" not in path.parents


@settings(max_examples=400)
@given(templates, records, records)
def test_two_ids_never_share_a_file(template, one, other):
    assume(str(one["id"]) != str(other["id"]))

    keys = {collision_key(render(template, one)), collision_key(render(template, other))}

    assert len(keys) == 2


@given(
    st.sampled_from(["{prompt}-{id}{ext}", "{id}-{prompt}{ext}", "{prompt} {creator}.{id}x{ext}"]),
    st.lists(
        st.tuples(st.integers(0, 120), st.text("12-~. x", max_size=6), st.sampled_from([".1", ".png", ".x"])),
        min_size=2,
        max_size=30,
    ),
)
def test_a_value_cannot_imitate_the_id_beside_it(template, entries):
    owners: dict[str, set[int]] = {}

    for number, prompt, ext in entries:
        path = render(template, {"id": number, "prompt": prompt, "creator": prompt, "ext": ext})
        owners.setdefault(collision_key(path), set()).add(number)

    assert all(len(numbers) == 1 for numbers in owners.values())


@pytest.mark.parametrize(
    ("one", "other"),
    [("Mira", "mira"), ("a/b", "a_b"), ("x" * 50, "x" * 51), ("é", "e\u0301"), ("1", "01"), ("1", "\uff11")],
)
def test_ids_that_look_alike_have_files_of_their_own(one, other):
    names = [render("{id}{ext}", {"id": number, "ext": ".png"}) for number in (one, other)]
    part_names = [part_path(Path("store"), key).name for key in (one, other)]

    assert collision_key(names[0]) != collision_key(names[1])
    assert collision_key(part_names[0]) != collision_key(part_names[1])


def test_an_id_that_is_no_number_cannot_imitate_another_with_its_hash():
    template = "{id}-{prompt}{ext}"
    forged = "a~" + render(template, {"id": "a", "prompt": "x", "ext": ".png"}).removeprefix("~a~").removesuffix(".png")
    last_hash = render("{id}{ext}", {"id": forged, "ext": ".png"}).removesuffix(".png").rpartition("~")[2]

    path = render(template, {"id": forged, "prompt": "y", "ext": ".png"})
    imitation = render(template, {"id": "a", "prompt": f"x~{last_hash}-y", "ext": ".png"})

    assert path != imitation


@given(hostile_text, hostile_text)
def test_each_key_has_one_part_file_of_its_own(one, other):
    store = Path("store")

    paths = [part_path(store, key) for key in (one, other, one)]

    assert {path.parent for path in paths} == {store / ".parts"}
    assert [breaks_windows_rule(path.name) for path in paths] == [None] * 3
    assert all(len(path.name.encode()) < 60 for path in paths)
    assert paths[0] == paths[2]
    assert (collision_key(paths[0].name) == collision_key(paths[1].name)) == (one == other)


def test_a_part_file_of_an_ordinary_key_is_named_after_it():
    key = str(uuid4())

    path = part_path(Path("store"), key)

    assert path == Path(f"store/.parts/{key}.part")


def test_a_long_value_is_cut_and_the_id_is_not():
    record = {"creator": "harbour", "prompt": "lanterns over water, " * 50, "id": 91230001, "ext": ".jpeg"}

    path = render("{creator}/{prompt}_{id}{ext}", record)

    assert re.fullmatch(r"harbour/(lanterns over water, ){9}lanterns~[0-9a-f]{8}_91230001\.jpeg", path)
    assert 200 < len(path) <= 240 - len(".safetensors") + len(".jpeg")


def test_the_hash_of_a_value_does_not_depend_on_where_it_was_cut():
    record = {"creator": "a/" * 70, "prompt": "lanterns" * 20, "id": 1, "ext": ".png"}

    folders = [render(template, record).split("/")[0] for template in (DEFAULT_TEMPLATE, BY_PROMPT)]

    assert len(folders[0]) > len(folders[1])
    assert folders[0][-9:] == folders[1][-9:]


def test_a_cut_never_splits_a_character():
    record = {"creator": "x", "prompt": "🏮" * 100, "id": 1, "ext": ".png"}

    path = render(BY_PROMPT, record)

    assert re.fullmatch(r"x/🏮{57}~[0-9a-f]{8}_1\.png", path)


def test_the_longest_value_gives_way_first():
    record = {"creator": "a" * 150, "prompt": "b" * 90, "id": 1, "ext": ".png"}

    folder, file = render(BY_PROMPT, record).split("/")

    assert re.fullmatch(r"a+~[0-9a-f]{8}", folder)
    assert file == f"{'b' * 90}_1.png"


def test_a_device_name_put_together_from_harmless_pieces_is_defused():
    path = render("co{prompt}/com{id}{ext}", {"prompt": "n", "id": 1, "ext": ".png"})

    assert path == "_con/_com1.png"


@pytest.mark.parametrize("creator", [None, ""])
def test_a_creator_that_is_not_told_is_deleted(creator):
    path = render(DEFAULT_TEMPLATE, {"creator": creator, "id": 42, "ext": ".png"})

    assert path == "-deleted/42.png"


def test_a_changed_name_stays_the_same_over_the_years():
    path = render(DEFAULT_TEMPLATE, {"creator": "a/b", "id": 42, "ext": ".png"})

    assert path == "a_b~82badf67/42.png"


def test_an_unset_field_is_unknown():
    path = render(BY_PROMPT, {"creator": "x", "prompt": None, "id": 1, "ext": None})

    assert path == "x/-unknown_1.unknown"


def test_an_item_without_the_id_of_the_template_is_refused():
    with pytest.raises(ArchiveError, match="an item without id can have no path of its own"):
        render(DEFAULT_TEMPLATE, {"creator": "x", "id": None, "ext": ".png"})


def test_an_unknown_field_is_named_with_its_nearest_neighbour():
    with pytest.raises(ArgumentError, match=r"'\{creatr\}/\{id\}\{ext\}'.*'creatr'; did you mean creator\?"):
        render("{creatr}/{id}{ext}", {"creator": "x", "id": 1, "ext": ".png"})


def test_an_unknown_field_without_neighbours_is_answered_with_all_that_there_are():
    with pytest.raises(ArgumentError, match=r"no field 'qqq'; did you mean ext or id\?"):
        validate("{qqq}/{id}{ext}", known={"id", "ext"})


@pytest.mark.parametrize(
    "template", [*TEMPLATES, "{key}{ext}", "a/b/{id}/{key}{ext}", "{prompt}{id}/{id}{ext}", "{{x}}/{id}{ext}"]
)
def test_a_good_template_is_taken(template):
    validate(template, known={"id", "key", "creator", "prompt", "ext"})


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("", "empty part"),
        ("/media/{id}{ext}", "relative"),
        ("C:{id}{ext}", "drive letter"),
        ("\\\\server/{id}{ext}", "leading slash"),
        ("{creator}\\{id}{ext}", "backslash"),
        ("../{id}{ext}", "begin with a dot"),
        ("{creator}/../{id}{ext}", "begin with a dot"),
        ("./{id}{ext}", "begin with a dot"),
        (".parts/{id}{ext}", "begin with a dot"),
        (" {creator}/{id}{ext}", "begin with a dot or a space"),
        ("{creator}./{id}{ext}", "end in a dot"),
        ("{creator} /{id}{ext}", "end in a dot or a space"),
        ("{creator}//{id}{ext}", "empty part"),
        ("{creator}/{id}{ext}/", "empty part"),
        ("{creator}:{id}{ext}", "not allowed"),
        ("{creator}\n/{id}{ext}", "not allowed"),
        ("\u202e{id}{ext}", "not allowed"),
        ("{creator}/{id}", "must end in {ext}"),
        ("{creator}{ext}/{id}", "must end in {ext}"),
        ("{id}{ext}{ext}", "must end in {ext}"),
        ("{id}{ext}.png", "must end in {ext}"),
        ("{id", "expected '}'"),
        ("id}{ext}", "Single '}'"),
        ("{}{id}{ext}", "only the name of a field"),
        ("{id:05}{ext}", "only the name of a field"),
        ("{id!r}{ext}", "only the name of a field"),
        ("{meta[seed]}/{id}{ext}", "only the name of a field"),
        ("{creator.x}/{id}{ext}", "only the name of a field"),
        ("x" * 200 + "/{id}{ext}", "too long"),
        ("{creator}/" * 20 + "{id}{ext}", "too long"),
    ],
)
def test_a_bad_template_is_refused_with_its_reason(template, reason):
    with pytest.raises(ArgumentError, match=re.escape(reason)) as raised:
        validate(template)

    assert repr(template) in str(raised.value)


@pytest.mark.parametrize(
    "relative", ["", ".", "..", "../x", "a/../../x", "/x", "//x/y", "C:x", "C:/x", "a\\..\\..\\x", "\\x", "a/\0x"]
)
def test_a_path_out_of_the_store_is_refused(tmp_path, relative):
    with pytest.raises(ArchiveError, match="stay inside it"):
        inside(tmp_path, relative)


@pytest.mark.parametrize("target", ["outside", "not there yet"])
def test_a_folder_that_links_out_of_the_store_is_refused(tmp_path, target):
    (tmp_path / "outside").mkdir()
    store = tmp_path / "store"
    store.mkdir()
    (store / "creator").symlink_to(tmp_path / target, target_is_directory=True)

    with pytest.raises(ArchiveError, match="a link leads to"):
        inside(store, "creator/deeper/1.png")
    with pytest.raises(ArchiveError, match="a link leads to"):
        inside(store, "creator/1.png")


def test_a_link_that_stays_in_the_store_is_followed(tmp_path):
    (tmp_path / "new_name").mkdir()
    (tmp_path / "old_name").symlink_to(tmp_path / "new_name", target_is_directory=True)

    path = inside(tmp_path, "old_name/1.png")

    assert path == tmp_path / "old_name/1.png"


def test_a_store_that_is_itself_a_link_is_a_store(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "store").symlink_to(tmp_path / "disk", target_is_directory=True)

    path = inside(tmp_path / "store", "creator/1.png")

    assert path == tmp_path / "store/creator/1.png"


@pytest.mark.parametrize("folder", ["file", "loop", "\ud800"])
def test_a_folder_that_cannot_be_one_is_refused(tmp_path, folder):
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to(tmp_path / "loop")

    with pytest.raises(ArchiveError, match="cannot be used"):
        inside(tmp_path, f"{folder}/deeper/1.png")


def test_a_folder_is_proven_anew_while_it_is_missing(tmp_path):
    store = tmp_path / "store"
    store.mkdir()
    inside(store, "creator/1.png")
    (store / "creator").symlink_to(tmp_path, target_is_directory=True)

    with pytest.raises(ArchiveError, match="a link leads to"):
        inside(store, "creator/1.png")


@pytest.mark.parametrize(
    ("one", "other"), [("Lantern/1.png", "lantern/1.PNG"), ("é/1", "E\u0301/1"), ("straße/1", "STRASSE/1")]
)
def test_paths_that_some_file_systems_take_for_one_have_one_collision_key(one, other):
    keys = {collision_key(one), collision_key(other)}

    assert len(keys) == 1


def test_case_twins_share_a_folder_and_no_file():
    twins = [{"creator": name, "id": number, "ext": ".png"} for number, name in enumerate(["Mira", "mira", "MIRA"])]

    keys = [collision_key(render(DEFAULT_TEMPLATE, twin)) for twin in twins]

    assert keys == ["mira/0.png", "mira/1.png", "mira/2.png"]


def test_rendering_costs_next_to_nothing():
    record = {"creator": "harbour_lights", "id": 91230001, "ext": ".png", "prompt": "lanterns"}

    seconds = min(timeit.repeat(lambda: render(DEFAULT_TEMPLATE, record), number=1000, repeat=5)) / 1000

    assert seconds < 50e-6  # five times the promise, for a busy machine
