// The API reference: Swagger UI over the document of the namespace, sending with the token that is picked.
"use strict";

const place = document.getElementById("reference");
const picker = document.getElementById("pick-token");
const dark = matchMedia("(prefers-color-scheme: dark)");

function applyScheme() {
  document.documentElement.classList.toggle("dark-mode", dark.matches);
}

function authorize() {
  const secret = document.getElementById("secret")?.textContent;
  if (secret) reference.preauthorizeApiKey("bearer", secret);
  else if (reference.authSelectors.authorized().size) reference.authActions.logout(["bearer"]);
}

// The page that answers the form has the secret; of it only that is taken, so that what is being tried stays as it is.
async function useToken(event) {
  event.preventDefault();
  const answer = await fetch(picker.action, { method: "POST", body: new URLSearchParams(new FormData(picker)) });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const used = page.getElementById("used");
  if (!used) return location.reload();
  document.getElementById("used").replaceWith(used);
  authorize();
  say("Requests are sent as picked");
}

// Its own layout has a second <main>, and repeats what the page says above it.
function layOut(system) {
  const element = system.React.createElement;
  function ReferenceLayout({ getComponent, specSelectors }) {
    const component = (name, isConnected = true) => element(getComponent(name, isConnected));
    if (specSelectors.loadingStatus() !== "success") {
      return element("div", { className: "swagger-ui" }, element("p", {}, "Loading the document…"), component("errors"));
    }
    return element(
      "div", { className: "swagger-ui" },
      component("SvgAssets", false),
      component("errors"),
      element("h2", { className: "unseen" }, "Operations"),
      element("div", { className: "scheme-container" }, component("AuthorizeBtnContainer")),
      component("operations"),
      element("details", {}, element("summary", {}, "Webhooks"), component("Webhooks")),
      element("h3", { className: "unseen" }, "Schemas of the document"),
      component("Models"),
    );
  }
  return { components: { ReferenceLayout } };
}

// What it gives no name, and what it lets nobody reach who has no mouse.
function addNames() {
  for (const field of place.querySelectorAll(":is(select, input, textarea):not([aria-label], [id])")) {
    const name = field.closest("[data-param-name]")?.dataset.paramName;
    field.setAttribute("aria-label", name ?? (field.matches(".body-param textarea, .body-param__text") ? "Body" : "Value"));
  }
  for (const button of place.querySelectorAll(".close-modal:not([aria-label])")) button.setAttribute("aria-label", "Close");
  for (const heading of place.querySelectorAll("h6:not([aria-level])")) heading.setAttribute("aria-level", "5");
  for (const block of place.querySelectorAll(":is(.microlight, .curl, .model-box):not([tabindex])")) block.tabIndex = 0;
}

applyScheme();
dark.addEventListener("change", applyScheme);
picker.addEventListener("submit", useToken);
picker.addEventListener("change", () => picker.requestSubmit());
new MutationObserver(addNames).observe(place, { childList: true, subtree: true });
const reference = SwaggerUIBundle({
  url: place.dataset.document,
  domNode: place,
  // With deep links a link would stand in the button that opens an operation.
  deepLinking: false,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  plugins: [layOut],
  layout: "ReferenceLayout",
  onComplete: authorize,
});
