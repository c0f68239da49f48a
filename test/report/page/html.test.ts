import fc from "fast-check";
import { expect, it } from "vitest";
import { escapeHtml, jsonInScript, markup } from "../../../src/report/page/html.js";

it("escapes every text that goes into it, and keeps what is HTML", () => {
  expect(markup`<b>${"<i>"}</b>${[markup`<u>${1}</u>`, "&"]}`.text).toBe("<b>&lt;i&gt;</b><u>1</u>&amp;");
});

it("leaves no text that could become an element, an attribute's end, or a control", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      expect(escapeHtml(text)).not.toMatch(/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)|(?![\t\n\r])\p{Cc}/u);
    }),
  );
});

it("writes JSON that cannot end its element and reads as it was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), (text) => {
      const written = jsonInScript({ text: `</script><!--${text}` }).text;
      expect(written).not.toMatch(/[<>&]/);
      expect(JSON.parse(written)).toEqual({ text: `</script><!--${text}` });
    }),
  );
});
