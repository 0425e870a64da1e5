// What is worked out beside serving: the last state at once with its age, the new one when it comes.

import { h } from "../../storefront/js/dom.js";
import { awaited } from "./api.js";
import { icon } from "./icons.js";
import { trouble, working } from "./states.js";
import { ago, moment, t } from "./words.js";

/** `question(anew, signal)`; `render(told)` makes the page of what is known. Gives the tools: its age and "again". */
export function kept(place, question, render, { signal, failed }, workingText) {
  const age = h("span", { class: "age" });
  const again = h("button", { type: "button", class: "button small", onclick: () => look(true) }, icon("refresh"), t("again"));
  let shown = null; // the moment of what is shown
  const look = async (anew) => {
    again.disabled = true;
    try {
      await awaited(
        (first, stop) => question(first, stop),
        signal,
        (told) => {
          age.textContent = told.running ? t("workingOut") : told.at_ms ? t("asOf", ago(told.at_ms)) : "";
          if (told.at_ms) age.title = moment(told.at_ms);
          if (told.at_ms && told.at_ms !== shown) {
            shown = told.at_ms;
            place.replaceChildren(...[render(told)].flat(Infinity).filter(Boolean));
          } else if (!shown && told.running) place.replaceChildren(working(workingText));
          if (told.problem) tellProblem(told.problem);
        },
        anew,
      );
    } catch (problem) {
      failed(problem, (found) => place.replaceChildren(trouble(found, () => look(false))));
    }
    again.disabled = false;
  };
  const tellProblem = (detail) => {
    const told = trouble({ status: 500, detail }, () => look(true));
    if (shown) place.prepend(told);
    else place.replaceChildren(told);
  };
  look(false);
  return h("div", { class: "kept-tools" }, age, again);
}
