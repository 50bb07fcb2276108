// Suggestions under the search box. Without this script, or without its answers, the box is as it was.
const place = document.querySelector("[data-suggestions]");
if (place && window.accessibleAutocomplete) suggestAt(place);

function suggestAt(place) {
  const WAIT = 150;
  const PATIENCE = 10_000;
  const plain = place.querySelector("input");
  const form = plain.form;
  const words = JSON.parse(place.dataset.words);
  const typed = plain.value;
  const described = plain.getAttribute("aria-describedby");
  // The browser may not have come to its autofocus yet.
  const active = document.activeElement;
  const focused = active === plain || (plain.autofocus && active === document.body);
  let timer;
  let asking;
  let quietUntil = 0;
  let asTyped = true;

  const escaped = (text) => new Option(text).innerHTML;
  const named = (one) => (typeof one === "string" ? one : one ? one.name : "");
  const line = (one) =>
    typeof one === "string" ? escaped(one)
      : `<strong>${escaped(one.name)}</strong> <span class="dir-suggestion">${escaped(one.about)}</span>`;

  function forget() {
    clearTimeout(timer);
    if (asking) asking.abort();
  }

  async function ask(query, show) {
    const mine = (asking = new AbortController());
    const patience = setTimeout(() => mine.abort(), PATIENCE);
    let found = [];
    try {
      const fields = [...new FormData(form)].filter(([, value]) => value !== "");
      const reply = await fetch(`${place.dataset.suggestions}?${new URLSearchParams(fields)}`, { signal: mine.signal });
      if (reply.status === 429) quietUntil = Date.now() + 1000 * (Number(reply.headers.get("Retry-After")) || 60);
      if (reply.ok) found = (await reply.json()).suggestions;
    } catch {
      // Nobody answered, or what was asked has changed: there is nothing to suggest.
    }
    clearTimeout(patience);
    const box = place.querySelector("input");
    if (mine === asking && box.value === query && document.activeElement === box) show(found);
  }

  plain.remove();
  window.accessibleAutocomplete({
    element: place,
    id: plain.id,
    name: plain.name,
    minLength: 2,
    confirmOnBlur: false,
    showNoOptionsFound: false,
    displayMenu: "overlay",
    inputClasses: plain.className,
    menuClasses: "govuk-body",
    templates: { inputValue: named, suggestion: line },
    source(query, show) {
      forget();
      asking = undefined;
      if (asTyped || Date.now() < quietUntil) show([]);
      else timer = setTimeout(ask, WAIT, query, show);
    },
    onConfirm(one) {
      if (!one) return;
      forget();
      const fields = new URLSearchParams([...new FormData(form)].filter(([, value]) => value !== ""));
      fields.set(plain.name, one.code);
      window.location.assign(`${form.action}?${fields}`);
    },
    tAssistiveHint: () => words.hint,
    tStatusQueryTooShort: () => words.short,
    tStatusNoResults: () => words.none,
    tStatusResults: (n, chosen) => `${n === 1 ? words.one : words.many.replace("{n}", n)} ${chosen}`,
    tStatusSelectedOption: (name, n, at) =>
      words.chosen.replace("{name}", name).replace("{at}", at + 1).replace("{n}", n),
  });

  const box = place.querySelector("input");
  box.spellcheck = false;
  const describe = () => {
    const now = box.getAttribute("aria-describedby") || "";
    if (described && !now.split(" ").includes(described)) box.setAttribute("aria-describedby", `${described} ${now}`.trim());
  };
  new MutationObserver(describe).observe(box, { attributeFilter: ["aria-describedby"] });
  // What was typed before this script came stays, with the cursor after it.
  box.value = typed;
  box.dispatchEvent(new Event("input", { bubbles: true }));
  if (focused) {
    box.focus();
    queueMicrotask(() => box.setSelectionRange(box.value.length, box.value.length));
  }
  asTyped = false;
  describe();

  place.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && event.target === box) event.stopPropagation(); // looks up what was typed
    if (event.key === "Escape") {
      forget();
      asking = undefined;
      if (event.target !== box) box.focus();
    }
  }, true);
  form.addEventListener("submit", forget);
}
