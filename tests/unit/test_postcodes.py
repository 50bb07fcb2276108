"""A typed postcode gets its district, or a truthful answer."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory import postcode_building, postcode_table
from directory.postcodes import PostcodeMatch, Postcodes
from hub.errors import HubError
from seed import files


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("postcodes")


@pytest.fixture(scope="session")
def postcodes(data_dir: Path) -> Postcodes:
    return Postcodes.open(data_dir)


@pytest.mark.parametrize(
    "typed", ["SW1A 1AA", "sw1a1aa", " sW1a\u00a01Aa ", "sw1a-1aa", "SW 1A 1 AA"]
)
def test_any_spacing_and_case(postcodes: Postcodes, typed: str) -> None:
    assert postcodes.find(typed) == PostcodeMatch("SW1A 1AA", "live", ("E09000033",))


@pytest.mark.parametrize(
    ("typed", "postcode", "lad"),
    [
        ("0X1 1AA", "OX1 1AA", "E07000178"),
        ("s014 7ly", "SO14 7LY", "E06000045"),
        ("NI 9GU", "N1 9GU", "E09000019"),
        ("E1 OAA", "E1 0AA", "E09000030"),
        ("swla 1aa", "SW1A 1AA", "E09000033"),
        ("1s1 4dy", "LS1 4DY", "E08000035"),
    ],
)
def test_a_letter_for_a_digit_is_read_where_only_one_reading_exists(
    postcodes: Postcodes, typed: str, postcode: str, lad: str
) -> None:
    match = postcodes.find(typed)
    assert (match.postcode, match.lad_codes, match.corrected) == (postcode, (lad,), True)


@pytest.mark.parametrize(
    ("typed", "kind"),
    [
        ("EH1 1YZ", "scotland"),
        ("BT1 5GS", "northern-ireland"),
        ("JE2 3QA", "jersey"),
        ("GY1 1AA", "guernsey"),
        ("IM1 1AA", "isle-of-man"),
        ("AB11 3AG", "scotland"),  # on record without a district, in an area that is all Scotland
        ("BFPO 12", "overseas"),
        ("BF1 0AX", "overseas"),
        ("GX11 1AA", "overseas"),
    ],
)
def test_outside_england_and_wales_is_said(postcodes: Postcodes, typed: str, kind: str) -> None:
    match = postcodes.find(typed)
    assert (match.kind, match.lad_codes) == (kind, ())


def test_an_outward_code_gives_every_district_that_it_spans(postcodes: Postcodes) -> None:
    match = postcodes.find("sw1a")
    assert (match.kind, match.typed) == ("live", "outcode")
    assert match.lad_codes == ("E09000033", "E09000032")


def test_a_sector_is_told_from_a_longer_outward_code_by_its_space(postcodes: Postcodes) -> None:
    assert postcodes.find("M1 1").postcode == "M1 1"
    assert postcodes.find("M1 1").typed == "sector"
    assert postcodes.find("M11").typed == "outcode"
    assert postcodes.find("CF10 1").lad_codes == ("W06000015",)


@pytest.mark.parametrize(
    ("typed", "sector"),
    [("SW1A 1A", "SW1A 1"), ("sw1a1a", "SW1A 1"), ("E1 6A", "E1 6"), ("CF10 1E", "CF10 1")],
)
def test_a_postcode_without_its_last_letter_is_read_as_its_sector(
    postcodes: Postcodes, typed: str, sector: str
) -> None:
    match = postcodes.find(typed)
    assert (match.kind, match.postcode, match.typed) == ("live", sector, "sector")
    assert match.corrected


def test_an_outward_code_across_the_border_says_both(postcodes: Postcodes) -> None:
    match = postcodes.find("TD15")
    assert (match.kind, match.lad_codes, match.outside) == ("live", ("E06000057",), ("scotland",))


def test_newer_than_the_data_is_a_guess_by_sector(postcodes: Postcodes) -> None:
    match = postcodes.find("SW1A 1AC")
    assert (match.kind, match.basis, match.guess) == ("unknown-unit", "sector", True)
    assert "E09000033" in match.lad_codes


def test_a_new_outward_code_is_a_guess_by_area(postcodes: Postcodes) -> None:
    match = postcodes.find("CF98 1AA")
    assert (match.kind, match.basis, match.guess) == ("unknown-unit", "area", True)
    assert match.lad_codes[0] == "W06000015"


def test_on_record_without_district_and_neighbours(postcodes: Postcodes) -> None:
    assert postcodes.find("GIR 0AA").kind == "no-district"


def test_the_terminated_oddity_of_newport_has_its_district(postcodes: Postcodes) -> None:
    assert postcodes.find("NPT 0VA").lad_codes == ("W06000022",)


@pytest.mark.parametrize("typed", ["ZZ9 9ZZ", "zz99 3vz"])
def test_a_pseudo_postcode_is_well_formed_and_no_postcode(postcodes: Postcodes, typed: str) -> None:
    match = postcodes.find(typed)
    assert (match.kind, match.lad_codes) == ("not-a-postcode", ())
    assert match.postcode == typed.upper()


@pytest.mark.parametrize(
    "typed", ["", " ", "hackny", "kent", "btp", "GMP", "E09000019", "1", "é1", "\0"]
)
def test_what_is_no_postcode_says_so(postcodes: Postcodes, typed: str) -> None:
    assert postcodes.find(typed) == PostcodeMatch("", "not-a-postcode")


@given(st.one_of(st.text(max_size=12), st.from_regex(r"[A-Z01]{1,3}[0-9OI] ?[0-9OI][A-Z01]{2}")))
def test_anything_typed_gets_an_answer(typed: str) -> None:
    match = _shared().find(typed)
    assert (match.kind == "live") <= bool(match.lad_codes)
    assert match.guess <= (match.basis != "unit")


_opened: list[Postcodes] = []


def _shared() -> Postcodes:
    return _opened[0]


@pytest.fixture(autouse=True, scope="module")
def _share(postcodes: Postcodes) -> None:
    _opened.append(postcodes)


def test_every_postcode_of_the_package_is_found_as_it_is_there(postcodes: Postcodes) -> None:
    package = postcode_table._package()
    seen = 0
    districts = set()
    for columns in postcode_building._source(package):
        seen += len(columns["pcd"])
        districts |= {code for code in columns["laua"] if isinstance(code, str)}
        for at in range(0, len(columns["pcd"]), 997):
            padded, code = columns["pcd"][at], columns["laua"][at]
            match = postcodes.find(padded)
            assert match.postcode == f"{padded[:4].strip()} {padded[4:]}"
            if isinstance(code, str) and code[0] in "EW":
                assert match.lad_codes == (code,)
            else:
                assert match.kind != "live"
    assert seen == 2_720_556
    assert {district.code for district in files.read().districts} <= districts


def test_a_spoilt_file_is_built_again(data_dir: Path, postcodes: Postcodes, tmp_path: Path) -> None:
    whole = next(data_dir.glob("postcodes-*.bin")).read_bytes()
    path = tmp_path / f"postcodes-{postcodes.edition}.bin"
    path.write_bytes(whole[:1000] + b"spoilt" + whole[1006:])
    assert Postcodes.open(tmp_path).find("SW1A 1AA").kind == "live"
    assert path.read_bytes() == whole
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, "postcodes.lock"]


def test_of_many_that_start_at_once_one_builds(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    built: list[Path] = []
    build = postcode_building.build

    def counted(*arguments: object) -> None:
        built.append(tmp_path)
        build(*arguments)  # type: ignore[arg-type]  # handed through

    monkeypatch.setattr(postcode_building, "build", counted)
    with ThreadPoolExecutor(4) as threads:
        opened = list(threads.map(Postcodes.open, [tmp_path] * 4))
    assert len(built) == 1
    assert {one.find("SW1A 1AA").kind for one in opened} == {"live"}


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(HubError) as refused:
        Postcodes.open(tmp_path / "file" / "folder")
    assert refused.value.code == "postcodes-unavailable"
    assert refused.value.status == 503


def test_a_process_needs_little_memory(data_dir: Path, postcodes: Postcodes) -> None:
    size = sum(os.stat(file).st_size for file in data_dir.iterdir())
    assert size < 30_000_000
