"""The reference files are read whole, or refused with the place of every fault."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from hub.errors import HubError
from seed import files

Edit = Callable[[str], str]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(files.BUNDLED, tmp_path / "reference"))


def _edit(folder: Path, file: str, edit: Edit) -> None:
    path = folder / file
    path.write_text(edit(path.read_text("utf-8")), "utf-8")


def test_the_bundled_edition_is_whole() -> None:
    reference = files.read()
    assert len(reference.forces) == 51
    assert len(reference.districts) == 318
    assert len(reference.authorities) == 175
    assert len(reference.units) == 82
    assert len(reference.contacts) == 12


def test_every_published_purpose_is_one_of_ours() -> None:
    purposes = {contact.purpose for contact in files.read().contacts}
    assert purposes == {"national-advice", "helpline", "anonymous-information", "non-emergency"}


def test_the_hubs_own_files_may_be_left_out(folder: Path) -> None:
    (folder / "sources.csv").unlink()
    (folder / "national_bodies.csv").unlink()
    assert files.read(folder) == files.read()


@pytest.mark.parametrize(
    ("file", "edit", "sentence"),
    [
        (
            "police_forces.csv",
            lambda text: text.replace("kent,Kent Police", "Kent!,Kent Police", 1),
            "police_forces.csv, line 21, column force_id: “Kent!” is not a force's slug",
        ),
        (
            "police_forces.csv",
            lambda text: text.replace(",territorial,", ",parish,", 1),
            "police_forces.csv, line 2, column kind: “parish” is none of: territorial,"
            " national_special, neighbouring",
        ),
        (
            "local_authorities.csv",
            lambda text: text.replace("E06000001,Hartlepool", "E0600001,Hartlepool", 1),
            "local_authorities.csv, line 2, column lad_code: “E0600001” is not an ONS code",
        ),
        (
            "local_authorities.csv",
            lambda text: text.replace(",cleveland,", ",clevelandshire,", 1),
            "local_authorities.csv, line 2, column force_id: “clevelandshire” is not in"
            " police_forces.csv",
        ),
        (
            "local_authorities.csv",
            lambda text: text.replace("E06000002,Middlesbrough", "E06000001,Middlesbrough", 1),
            "local_authorities.csv, line 3, column lad_code: “E06000001” is already on line 2",
        ),
        (
            "local_authorities.csv",
            lambda text: text.replace("lad_name,", "name,", 1),
            "local_authorities.csv, line 1: there is no column lad_name",
        ),
        (
            "local_authorities.csv",
            lambda text: text.rstrip("\n") + ",one too many\n",
            "local_authorities.csv, line 319: there are 16 cells where the header has 15",
        ),
        (
            "bcus.csv",
            lambda text: text.replace("E06000031;E07000010", "E06000031;E06000001", 1),
            "bcus.csv, line 2, column lad_codes: “E06000001” belongs to cleveland, not to"
            " cambridgeshire",
        ),
        (
            "bcus.csv",
            lambda text: text.replace("cambridgeshire/northern", "kent/northern", 1),
            "bcus.csv, line 2, column bcu_id: “kent/northern” does not begin with its force",
        ),
        (
            "published_contacts.csv",
            lambda text: text.replace(",helpline,", ",chat line,", 1),
            "published_contacts.csv, line 5, column purpose: “chat line” is none of",
        ),
        (
            "published_contacts.csv",
            lambda text: text.replace(",116 000,", ",,", 1),
            "published_contacts.csv, line 5, column value: this cell must not be empty",
        ),
        (
            "childrens_services_authorities.csv",
            lambda text: text.split("\n", 1)[0] + "\n",
            "childrens_services_authorities.csv: there are no rows",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(
    folder: Path, file: str, edit: Edit, sentence: str
) -> None:
    _edit(folder, file, edit)
    with pytest.raises(HubError) as refused:
        files.read(folder)
    assert refused.value.code == "reference-invalid"
    assert sentence in refused.value.sentence


def test_a_missing_or_unreadable_file_is_named(folder: Path) -> None:
    (folder / "childrens_services_authorities.csv").unlink()
    (folder / "police_forces.csv").write_bytes(b"\xff\xfe\n")
    with pytest.raises(HubError) as refused:
        files.read(folder)
    assert refused.value.sentence == (
        "The reference files were not read: police_forces.csv: the file is not UTF-8;"
        " childrens_services_authorities.csv: the file is missing."
    )


def test_many_faults_are_counted(folder: Path) -> None:
    _edit(folder, "local_authorities.csv", lambda text: text.replace(",England,", ",,"))
    with pytest.raises(HubError) as refused:
        files.read(folder)
    assert "and 276 more" in refused.value.sentence
