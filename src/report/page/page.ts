import { packageVersion } from "../../package.js";
import { pageAssets } from "./assets.js";
import { markup, Html, jsonInScript, NOTHING } from "./html.js";
import type { PageFigures } from "./figure-html.js";

export interface PageFacts {
  readonly title: string;
  /** Beside the title. */
  readonly badge: Html;
  readonly content: Html;
  readonly figures: PageFigures;
  readonly written: string;
  readonly refresh: number | null;
}

export interface PageOptions {
  /** UTC, ISO 8601. */
  readonly written: string;
  /** Where the figures stand beside the page, as it names it. */
  readonly figuresFolder: string;
  /** Seconds after which a browser opens the page again, as long as something goes on; null: never. */
  readonly refresh: number | null;
}

/** One HTML file with everything in it: it opens from a disk, asks for nothing, and may be sent to anybody. */
export function page({ title, badge, content, figures, written, refresh }: PageFacts): string {
  const { style, script, policy } = pageAssets();
  return markup`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta http-equiv="Content-Security-Policy" content="${new Html(policy)}" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="generator" content="thawline ${packageVersion()}" />
        ${refresh === null ? NOTHING : markup`<meta http-equiv="refresh" content="${refresh}" />`}
        <title>${title}</title>
        <style>${new Html(style)}</style>
      </head>
      <body>
        <div class="top">
          <h1>${title}</h1>
          ${badge}<button type="button" id="theme" aria-pressed="false" hidden>light / dark</button>
        </div>
        <main>${content}</main>
        <footer>
          Written by thawline ${packageVersion()} at ${written.slice(0, 16).replace("T", " ")} UTC from journals alone;
          nothing was trained for it.
        </footer>
        <script type="application/json" id="figures">${jsonInScript(figures.data)}</script>
        <script>${new Html(script)}</script>
      </body>
    </html> `.text;
}
