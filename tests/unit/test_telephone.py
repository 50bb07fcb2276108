"""A telephone script says who, what and how urgent, and never that a call moves a lead."""

from messaging.telephone import Call, Caller, script, spell

CALLER = Caller(name="Asha Rahman", unit="Central North", rank="Inspector", collar_number="1234CN",
                callback="020 7946 0101")  # fmt: skip


def text(call: Call) -> str:
    return "\n".join(line.text for line in script(call))


def test_a_reference_is_spelt_so_that_it_is_heard_right() -> None:
    assert spell("MC-7K3Q") == "Mike Charlie, seven Kilo three Quebec"


def test_an_offer_of_the_lead_says_that_the_call_does_not_move_it() -> None:
    said = text(Call("MC-7K3Q-9XJ2", "lead-transfer-request", "Devon and Cornwall Police", CALLER,
                     urgent=True, minutes=10))  # fmt: skip
    assert "This call does not move the lead" in said
    assert "within 10 minutes" in said
    assert "Inspector Asha Rahman, 1234CN, of Central North" in said
    assert "Ring me back on 020 7946 0101" in said


def test_the_other_end_is_asked_who_they_are_before_anything_is_told() -> None:
    call = Call("MC-7K3Q-9XJ2", "lead-transfer-request", "Devon and Cornwall Police", CALLER,
                details=[("Name", "Test Child")])  # fmt: skip
    lines = script(call)
    asked = next(n for n, line in enumerate(lines) if line.kind == "ask")
    told = next(n for n, line in enumerate(lines) if "Test Child" in line.text)
    assert asked < told


def test_an_exercise_says_so_before_the_matter() -> None:
    assert "This is an exercise" in text(
        Call("EX-7K3Q-9XJ2", "update", "Kent Police", CALLER, exercise=True)
    )
    assert "exercise" not in text(Call("MC-7K3Q-9XJ2", "update", "Kent Police", CALLER))


def test_what_is_not_given_is_not_read_out() -> None:
    said = text(Call("MC-7K3Q-9XJ2", "update", "Kent Police", CALLER, details=[("Clothing", "")]))
    assert "Clothing" not in said


def test_what_nobody_has_opened_is_said_to_lie_in_their_inbox() -> None:
    for message_type in ("update", "lead-transfer-request", "located"):
        call = Call("EX-7K3Q-9XJ2", message_type, "Kent Police", CALLER, urgent=True, unopened=True)
        assert "nobody has opened it. Will you open it now?" in text(call)
    assert "opened it" not in text(Call("EX-7K3Q-9XJ2", "update", "Kent Police", CALLER))
