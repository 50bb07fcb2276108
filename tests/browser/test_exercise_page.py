"""The exercise is reset on one page, without scripts; what was reset says so to who took part."""

from playwright.sync_api import expect

from seed import cast
from tests.browser.steps import SignIn, recorded_by
from tests.browser.test_case_pages import faults


def test_an_exercise_is_reset(sign_in: SignIn) -> None:
    officer = sign_in(cast.MET_OFFICER)
    ref = recorded_by(officer)
    inspector = sign_in(cast.MET_INSPECTOR, js=False)
    inspector.goto("/board")
    inspector.get_by_role("link", name="Exercise", exact=True).click()
    expect(inspector.get_by_role("row").filter(has_text=ref)).to_contain_text("Missing now")
    button = inspector.get_by_role("button", name="Reset the exercise")
    button.click()
    expect(inspector.get_by_role("alert")).to_contain_text("Say why")
    inspector.get_by_label("Why").fill("EXERCISE: training is over")
    button.click()
    expect(inspector.get_by_text("out of sight.").first).to_be_visible()
    expect(inspector.get_by_role("listitem").filter(has_text=ref)).to_contain_text("Metropolitan")
    officer.goto(f"/cases/{ref}")
    expect(officer.get_by_text("reset this exercise on")).to_be_visible()
    officer.goto("/exercise")
    assert faults(officer) == []
    kent = sign_in(cast.KENT_INSPECTOR)
    kent.goto("/exercise")
    assert faults(kent) == []
