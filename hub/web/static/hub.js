// The GOV.UK components' behaviour. Every page works without it.
const tag = document.querySelector("script[data-components]");
const { initAll } = await import(tag.dataset.components);
initAll();
for (const button of document.querySelectorAll("[data-print]")) {
  button.hidden = false;
  button.addEventListener("click", () => window.print());
}
