// Tells the reader, without reloading, that something needs them. Every page works without it.
const strip = document.getElementById("live");
const say = strip.querySelector("[data-live-say]");
const alarm = strip.querySelector("[data-live-alarm]");
const sound = strip.querySelector("[data-live-sound]");
const words = strip.dataset;
const title = document.title;
const REMEMBERED = "hub-sound-on-alarms";
const AGAIN = 60000;
let shown = words.mark;
let alarms = 0;
let rangAt = 0;
let audio = null;

const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
// A place for alarms is there from the start; it is an alert while it holds one.
const alarmWith = (text) => {
  if (text) alarm.parentElement.setAttribute("role", "alert");
  else alarm.parentElement.removeAttribute("role");
  put(alarm, text);
};
const put = (element, text) => { if (element.textContent !== text) element.textContent = text; };

function tell(told) {
  const parts = [];
  if (told.need) parts.push(fill(words.need, { n: told.need }));
  if (told.overdue) parts.push(fill(words.overdue, { n: told.overdue }));
  if (told.new) parts.push(fill(words.new, { n: told.new }));
  put(say, parts.length ? parts.join(". ") + "." : words.nothing);
  alarmWith(told.alarms ? fill(words.alarm, { n: told.alarms, reference: told.first }) : "");
  strip.classList.toggle("hub-live--alarm", told.alarms > 0);
  const count = told.need
    ? fill(words.titleNeed, { n: told.need })
    : told.new ? fill(words.titleNew, { n: told.new }) : "";
  document.title = [told.alarms ? words.titleAlarm : "", count, title].filter(Boolean).join(" ");
  if (told.alarms > alarms) ring();
  alarms = told.alarms;
  const parted = document.querySelector("[data-live-part]");
  if (parted) {
    const mark = told[parted.dataset.livePart];
    if (mark !== shown) refresh(mark);
  }
}

// Only the lists are replaced: the focus and what is in sight stay where they are.
async function refresh(mark) {
  const here = [...document.querySelectorAll("[data-live-part]")];
  const reply = await fetch(location.href, { headers: { "X-Hub-Automatic": "1" }, cache: "no-store", redirect: "manual" })
    .catch(() => null);
  if (!reply || reply.status !== 200) return;
  const fresh = new DOMParser().parseFromString(await reply.text(), "text/html");
  for (const part of here) {
    const now = fresh.getElementById(part.id);
    if (!now || part.innerHTML === now.innerHTML) continue;
    const focused = part.contains(document.activeElement) ? document.activeElement : null;
    const anchor = focused ?? [...part.querySelectorAll("a")].find((one) => one.getBoundingClientRect().top >= 0);
    const key = anchor?.getAttribute("href");
    const before = anchor?.getBoundingClientRect().top;
    part.replaceChildren(...now.childNodes);
    const same = key && [...part.querySelectorAll("a")].find((one) => one.getAttribute("href") === key);
    if (focused && same) same.focus({ preventScroll: true });
    else if (focused) { part.tabIndex = -1; part.focus({ preventScroll: true }); }
    if (same && scrollY > 0) scrollBy(0, same.getBoundingClientRect().top - before);
  }
  shown = mark;
}

function away() {
  put(say, words.away);
  document.title = `${words.titleAway} ${title}`;
}

function ended() {
  put(say, "");
  alarmWith(words.ended);
  strip.querySelector("[data-live-inbox]").hidden = true;
  strip.querySelector("[data-live-sign-in]").hidden = false;
  sound.hidden = true;
  document.title = `${words.titleEnded} ${title}`;
  clearInterval(again);
}

const wanted = () => localStorage.getItem(REMEMBERED) === "yes";

function showSound() {
  sound.setAttribute("aria-pressed", String(wanted()));
  put(sound, wanted() ? words.soundOn : words.soundOff);
}

// Browsers make no sound before the reader has touched the page.
function allow() {
  if (!wanted()) return;
  audio ??= new AudioContext();
  audio.resume();
}

function ring() {
  if (!wanted() || audio?.state !== "running") return;
  rangAt = Date.now();
  document.documentElement.dataset.hubRang = String(Number(document.documentElement.dataset.hubRang ?? 0) + 1);
  for (const [after, pitch] of [[0, 880], [0.25, 660], [0.5, 880]]) {
    const tone = audio.createOscillator();
    const volume = audio.createGain();
    tone.frequency.value = pitch;
    volume.gain.value = 0.2;
    tone.connect(volume).connect(audio.destination);
    tone.start(audio.currentTime + after);
    tone.stop(audio.currentTime + after + 0.2);
  }
}

sound.addEventListener("click", async () => {
  localStorage.setItem(REMEMBERED, wanted() ? "no" : "yes");
  showSound();
  allow();
  if (alarms && audio) { await audio.resume(); ring(); }
});
for (const gesture of ["pointerdown", "keydown"]) addEventListener(gesture, allow, { once: true });
showSound();
const again = setInterval(() => { if (alarms && Date.now() - rangAt >= AGAIN) ring(); }, AGAIN / 4);

let last = null;
let worker = null;
function watch() {
  worker = new Worker(words.worker);
  worker.onmessage = ({ data }) => {
    if (data.kind === "told") last = data.told;
    if (data.kind === "ended") ended();
    else if (data.kind === "away") away();
    else if (last) tell(last);
  };
  worker.postMessage(words.poll);
}
addEventListener("pagehide", () => { worker?.terminate(); worker = null; });
addEventListener("pageshow", (event) => { if (event.persisted) watch(); });
strip.hidden = false;
watch();
