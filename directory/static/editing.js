// Shows what callers would see while a contact is typed. Without it, the Preview button does.
const shown = document.querySelector("#preview");
const said = document.querySelector("#preview-said");
let timer;
let latest = 0;

async function refresh(form) {
  const mine = ++latest;
  const typed = new FormData(form);
  typed.set("do", "preview");
  let fragment;
  try {
    const headers = { "X-Fragment": "preview" };
    const answer = await fetch(form.action, { method: "POST", body: typed, headers });
    if (!answer.ok) return;
    fragment = await answer.text();
  } catch {
    return; // the network is away: what was shown last stays
  }
  if (mine !== latest) return;
  shown.innerHTML = fragment;
  const summary = shown.firstElementChild.dataset.summary;
  if (said.textContent !== summary) said.textContent = summary;
}

for (const form of document.querySelectorAll("form[data-preview]")) {
  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(refresh, 400, form);
  });
}
