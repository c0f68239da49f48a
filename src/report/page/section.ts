import { markup, NOTHING, type Html } from "./html.js";

/** None where there is nothing in it. */
export function section(title: string, parts: readonly Html[]): Html {
  if (parts.every(({ text }) => text === "")) return NOTHING;
  return markup`<section>
    <h2>${title}</h2>
    ${parts}
  </section>`;
}
