"""The journeys of a case, walked in a browser: from a report to its end (DOMAIN.md 4)."""

import re

from playwright.sync_api import expect

from seed import cast
from tests.browser.steps import (
    SignIn,
    act,
    attach_signed_reply,
    choose_unit,
    fill_report,
    history_of,
    lead_of,
    offer,
    recorded_by,
    report_to_the_met,
)


def test_from_a_refused_report_to_a_lead_in_kent_and_the_child_found(sign_in: SignIn) -> None:
    worker = sign_in(cast.SOCIAL_WORKER)
    reference = report_to_the_met(worker)
    expect(worker.get_by_text("Awaiting police")).to_be_visible()
    expect(worker.get_by_text("The police do not have this until someone answers")).to_be_visible()
    expect(worker.locator(".hub-number").first).to_be_visible()
    assert lead_of(worker) == "Nobody leads"

    act(worker, "Record the call")
    worker.get_by_label("They refused the report").check()
    worker.get_by_label("Whom you spoke to").fill("PC Brown")
    worker.get_by_label("What they said").fill("EXERCISE. Not one of ours.")
    act(worker, "Put the call on record")
    expect(worker.get_by_text("Police have not accepted this report")).to_be_visible()

    inspector = sign_in(cast.MET_INSPECTOR)
    inspector.goto("/inbox")
    inspector.get_by_role("link", name=reference).first.click()
    expect(inspector.get_by_text("They refused the report")).to_be_visible()

    met = sign_in(cast.MET_OFFICER)
    met.goto(f"/cases/{reference}")
    act(met, "Record the report")
    expect(met.get_by_label("Given name")).to_have_value("Robin")
    act(met, "Record the report: my unit leads")
    assert lead_of(met) == "Central North"
    offer(met, "Canterbury", "East Kent")
    assert lead_of(met) == "Central North"

    kent = sign_in(cast.KENT_OFFICER)
    kent.goto("/inbox")
    first = kent.locator("#mine + ul .hub-row, section[aria-labelledby=mine] .hub-row")
    expect(first.filter(has_text=reference)).to_contain_text("left")
    first.filter(has_text=reference).get_by_role("link").click()
    act(kent, "Decline the lead")
    act(kent, "Decline the lead")
    expect(kent.get_by_role("alert")).to_contain_text("Choose an answer")
    kent.get_by_label("There is not enough information").check()
    kent.get_by_label("Information you would need").fill("EXERCISE. Telephone records")
    act(kent, "Decline the lead")

    met.goto(f"/cases/{reference}")
    assert lead_of(met) == "Central North"
    expect(met.get_by_text("There is not enough information")).to_be_visible()
    offer(met, "East Kent", "East Kent")

    kent.goto("/inbox")
    kent.locator(".hub-row").filter(has_text=reference).get_by_role("link").first.click()
    act(kent, "Accept the lead")
    act(kent, "Accept the lead now")
    met.goto(f"/cases/{reference}")
    assert lead_of(kent) == lead_of(met) == "East Kent"
    assert history_of(kent) == history_of(met)
    assert len(history_of(met)) == 2

    act(met, "Say that the child is located")
    met.get_by_label("Who saw the child, face to face").fill("PC Okafor")
    met.get_by_label("Where").fill("EXERCISE station")
    met.get_by_label("Found by police").check()
    act(met, "Send")
    assert lead_of(met) == "East Kent"
    expect(met.get_by_text("Located, not confirmed")).to_be_visible()

    kent.goto("/inbox")
    kent.get_by_role("link", name="Confirm or refuse").first.click()
    act(kent, "Confirm that the child is located")
    act(kent, "Confirm: the child is located")
    assert lead_of(kent) == "Nobody leads"
    worker.goto(f"/cases/{reference}")
    for page in (kent, worker):
        expect(page.get_by_text("The child is located. The episode ended")).to_be_visible()
    act(kent, "Record the prevention interview, or why not")
    kent.get_by_role("radio", name="Not done").check()
    kent.get_by_label("Why it was not done").fill("EXERCISE")
    act(kent, "Put the interview on record")
    act(worker, "Record the return home interview, or why not")
    worker.get_by_role("group", name="Was it offered?").get_by_label("No", exact=True).check()
    worker.get_by_label("Why it was not done").fill("EXERCISE")
    act(worker, "Put the interview on record")
    kent.goto(f"/cases/{reference}")
    act(kent, "Close the case")
    kent.get_by_label("Outcome").fill("EXERCISE. Found well.")
    act(kent, "Close the case")
    expect(kent.get_by_text("The case is closed. Nobody leads.")).to_be_visible()


def test_a_force_that_is_not_on_the_hub_is_rung_and_the_lead_stays(sign_in: SignIn) -> None:
    met = sign_in(cast.MET_OFFICER)
    reference = recorded_by(met)
    offer(met, "Devon and Cornwall", "Devon & Cornwall Police")
    expect(met.get_by_role("heading", name="Ring Devon & Cornwall Police")).to_be_visible()
    expect(met.locator(".hub-call .hub-number").first).to_have_attribute(
        "href", re.compile(r"^tel:")
    )
    met.get_by_role("link", name="What to say, and a print of it").click()
    expect(met.get_by_text("This call does not move the lead")).to_be_visible()
    act(met, "Record the call")
    met.get_by_label("I told them about this message").check()
    met.get_by_label("Whom you spoke to").fill("Sergeant Pascoe")
    act(met, "Put the call on record")
    expect(met.get_by_text("the lead has not moved").first).to_be_visible()
    assert lead_of(met) == "Central North"
    act(met, "Send a guest link to missing@devon-cornwall.example.org")
    assert re.search(r"\d{3} \d{3}", met.locator(".hub-code").inner_text())
    met.goto("/inbox")
    expect(met.locator(".hub-row").filter(has_text=reference)).to_contain_text("has not answered")


def test_to_a_third_force_the_case_does_not_exist(sign_in: SignIn) -> None:
    reference = recorded_by(sign_in(cast.MET_OFFICER))
    essex = sign_in(cast.ESSEX_OFFICER)
    for path in ("", "/looks", "/send/update", "/script/1", "/signed-reply/1"):
        reply = essex.goto(f"/cases/{reference}{path}")
        assert reply is not None
        assert reply.status == 404
    nothing = essex.goto("/cases/EX-2222-2222")
    assert nothing is not None
    assert nothing.status == 404


def test_a_second_answer_is_told_what_happened_and_loses_nothing(sign_in: SignIn) -> None:
    met = sign_in(cast.MET_OFFICER)
    reference = recorded_by(met)
    offer(met, "East Kent", "East Kent")
    late = sign_in(cast.KENT_INSPECTOR)
    late.goto(f"/cases/{reference}")
    act(late, "Decline the lead")
    first = sign_in(cast.KENT_OFFICER)
    first.goto(f"/cases/{reference}")
    act(first, "Accept the lead")
    act(first, "Accept the lead now")
    late.get_by_label("Another reason").check()
    late.get_by_label("Explain it").fill("EXERCISE. We are full.")
    act(late, "Decline the lead")
    expect(late.get_by_role("alert")).to_contain_text("Tom Hurst")
    expect(late.get_by_label("Explain it")).to_have_value("EXERCISE. We are full.")
    late.goto(f"/cases/{reference}")
    assert lead_of(late) == "East Kent"


def test_a_form_sent_twice_takes_effect_once(sign_in: SignIn) -> None:
    met = sign_in(cast.MET_OFFICER)
    reference = recorded_by(met)
    act(met, "Send an update")
    met.get_by_label("Sighting").check()
    met.get_by_label("What happened").fill("EXERCISE. Seen at the station.")
    twice = """async () => {
        const form = document.querySelector("main form");
        const body = new URLSearchParams(new FormData(form));
        body.set("do", "send");
        const send = () => fetch(form.action, {method: "POST", body}).then(r => r.status);
        return Promise.all([send(), send(), send()]);
    }"""
    assert met.evaluate(twice) == [200, 200, 200]
    met.goto(f"/cases/{reference}")
    assert met.get_by_text("EXERCISE. Seen at the station.").count() == 1


def test_a_draft_waits_until_it_is_sent(sign_in: SignIn) -> None:
    worker = sign_in(cast.SOCIAL_WORKER)
    worker.goto("/cases/drafts")
    expect(worker.get_by_text("You have no drafts")).to_be_visible()
    worker.goto("/cases/new")
    choose_unit(worker, "Camden", "Central North")
    worker.get_by_label("Given name").fill("Robin")
    act(worker, "Save draft")
    worker.goto("/cases/drafts")
    worker.get_by_role("link", name="Report of a missing child").click()
    expect(worker.get_by_label("Given name")).to_have_value("Robin")
    act(worker, "Send the report")
    expect(worker.get_by_role("alert")).to_be_visible()
    fill_report(worker)
    act(worker, "Send the report")
    expect(worker.get_by_text("Awaiting police")).to_be_visible()
    worker.goto("/cases/drafts")
    expect(worker.get_by_text("You have no drafts")).to_be_visible()


def test_a_reason_is_asked_once_where_no_message_gives_it(sign_in: SignIn) -> None:
    reference = recorded_by(sign_in(cast.MET_OFFICER))
    inspector = sign_in(cast.MET_INSPECTOR)
    inspector.goto(f"/cases/{reference}")
    expect(inspector.get_by_role("heading", level=1)).to_have_text(
        "Why are you looking at this case?"
    )
    assert "Robin" not in inspector.content()
    act(inspector, "Show the case")
    expect(inspector.get_by_role("alert")).to_contain_text("Choose a reason")
    inspector.get_by_label("I supervise or review this work").check()
    act(inspector, "Show the case")
    expect(inspector.get_by_text("Robin").first).to_be_visible()
    inspector.goto(f"/cases/{reference}")
    expect(inspector.get_by_text("Robin").first).to_be_visible()


def test_a_form_that_shows_what_is_on_the_case_asks_for_the_reason_too(sign_in: SignIn) -> None:
    reference = recorded_by(sign_in(cast.MET_OFFICER))
    inspector = sign_in(cast.MET_INSPECTOR)
    inspector.goto(f"/cases/{reference}/send/missing-episode-report")
    expect(inspector.get_by_role("heading", level=1)).to_have_text(
        "Why are you looking at this case?"
    )
    assert "Robin" not in inspector.content()
    inspector.get_by_label("I supervise or review this work").check()
    act(inspector, "Show the case")
    expect(inspector.get_by_label("Given name")).to_have_value("Robin")


def test_the_sender_sees_who_has_looked(sign_in: SignIn) -> None:
    worker = sign_in(cast.SOCIAL_WORKER)
    reference = report_to_the_met(worker)
    met = sign_in(cast.MET_OFFICER)
    met.goto(f"/cases/{reference}")
    worker.goto(f"/cases/{reference}")
    worker.get_by_role("link", name="Who has looked at what my unit sent").click()
    expect(worker.get_by_text("Daniel Okafor").first).to_be_visible()


def test_a_signed_reply_moves_the_lead_when_a_supervisor_authorises_it(sign_in: SignIn) -> None:
    met = sign_in(cast.MET_OFFICER)
    reference = recorded_by(met)
    offer(met, "Devon and Cornwall", "Devon & Cornwall Police")
    met.get_by_role("link", name="Attach a signed reply").click()
    attach_signed_reply(met)
    assert lead_of(met) == "Central North"
    inspector = sign_in(cast.MET_INSPECTOR)
    met.get_by_role("link", name="Look at it").click()
    inspector.goto(met.url)
    with inspector.expect_download() as file:
        inspector.get_by_role("link", name="Open the file").click()
    assert file.value.suggested_filename == f"{reference}-signed-reply.pdf"
    act(inspector, "Authorise: it takes effect")
    met.goto(f"/cases/{reference}")
    assert lead_of(met) == "Devon & Cornwall Police"


def test_a_report_to_the_wrong_force_goes_to_the_right_one_in_the_same_act(
    sign_in: SignIn,
) -> None:
    worker = sign_in(cast.SOCIAL_WORKER)
    reference = report_to_the_met(worker)
    met = sign_in(cast.MET_OFFICER)
    met.goto(f"/cases/{reference}")
    act(met, "Do not accept the report")
    act(met, "If another police unit must take it, find that unit")
    choose_unit(met, "Thanet", "East Kent")
    met.get_by_label("Explain it to the reporter").fill("EXERCISE. Placed in Margate.")
    act(met, "Send to the reporter")
    worker.goto(f"/cases/{reference}")
    expect(worker.get_by_text("Addressed to East Kent")).to_be_visible()
    expect(worker.get_by_text("Awaiting police")).to_be_visible()
    kent = sign_in(cast.KENT_OFFICER)
    kent.goto("/inbox")
    rows = kent.locator(".hub-row").filter(has_text=reference)
    expect(rows.filter(has_text="Record the report, or say why not")).to_be_visible()


def test_withdrawing_and_offering_elsewhere_is_one_act(sign_in: SignIn) -> None:
    met = sign_in(cast.MET_OFFICER)
    reference = recorded_by(met)
    offer(met, "Thanet", "East Kent")
    act(met, "Withdraw the offer, and offer the lead elsewhere")
    choose_unit(met, "Exeter", "Devon & Cornwall Police")
    expect(met.get_by_text("Your open offer is withdrawn in the same moment")).to_be_visible()
    met.get_by_label("Urgent").check()
    met.get_by_label("Most enquiries are there").check()
    act(met, "Offer the lead")
    expect(met.get_by_text("Central North asks Devon & Cornwall Police")).to_be_visible()
    kent = sign_in(cast.KENT_OFFICER)
    kent.goto(f"/cases/{reference}")
    expect(kent.get_by_role("button", name="Accept the lead")).to_have_count(0)
