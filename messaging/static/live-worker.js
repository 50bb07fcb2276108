// Asks whether anything changed, in a worker: browsers slow the timers of pages that nobody looks at.
const EVERY = 3500;
const LONGEST = 60000;
let address = "";
let mark = "";
let failures = 0;

self.onmessage = (event) => {
  address = event.data;
  ask();
};

async function ask() {
  let wait = EVERY - Math.random() * 300;
  try {
    const headers = { "X-Hub-Automatic": "1" };
    if (mark) headers["If-None-Match"] = mark;
    const reply = await fetch(address, {
      headers, cache: "no-store", redirect: "manual", credentials: "same-origin",
      signal: AbortSignal.timeout(10000),
    });
    if (reply.type === "opaqueredirect" || reply.status === 401 || reply.status === 403) {
      self.postMessage({ kind: "ended" });
      return;
    }
    if (reply.status === 200) {
      mark = reply.headers.get("ETag") ?? "";
      self.postMessage({ kind: "told", told: await reply.json() });
    } else if (reply.status === 304) {
      self.postMessage({ kind: "same" });
    } else {
      throw new Error(String(reply.status));
    }
    failures = 0;
  } catch {
    failures += 1;
    wait = Math.min(LONGEST, EVERY * 2 ** (failures - 1));
    self.postMessage({ kind: "away" });
  }
  setTimeout(ask, wait);
}
