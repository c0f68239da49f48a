import { armsOf } from "../tables/arms.js";
import { decidingScore } from "../tables/compared-score.js";
import { sweepAnswer } from "../sweeps/sweep-answer.js";
import type { ContentsOver } from "../contents.js";
import { filesSentence, PageFigures } from "./figure-html.js";
import { markup, type Html } from "./html.js";
import { page, type PageOptions } from "./page.js";
import { section } from "./section.js";
import { badgeOf, sweepContent, titleOf } from "./sweep-page.js";
import { tableHtml } from "./table-html.js";

/** The page of several sweeps: the answer of each, what is said over all of them, then each as on a page of its own. */
export async function sweepsPage(
  { tables, parts }: ContentsOver,
  { written, figuresFolder, refresh }: PageOptions,
): Promise<string> {
  const figures = await PageFigures.load();
  const content = markup`<ul class="answers">
      ${parts.map(answerOf)}
    </ul>
    ${section("Over all sweeps", tables.map(tableHtml))}
    ${parts.map(
      ({ name, facts, contents }) =>
        markup`<section class="part" id="sweep-${name}">
          <div class="top">
            <h1>${titleOf(facts.sweep)}</h1>
            ${badgeOf(facts.sweep.runs)}
          </div>
          ${sweepContent(facts, contents, figures)}
        </section>`,
    )}
    ${filesSentence(figuresFolder)}`;
  const title = parts.map(({ name }) => name).join(", ");
  const badge = badgeOf(parts.flatMap(({ facts }) => facts.sweep.runs));
  return page({ title, badge, content, figures, written, refresh });
}

function answerOf({ name, facts: { sweep } }: ContentsOver["parts"][number]): Html {
  const arms = armsOf(sweep);
  const { headline } = sweepAnswer(arms, decidingScore(sweep, arms));
  return markup`<li class="answer"><a href="#sweep-${name}">${name}</a>: <b>${headline}.</b></li>`;
}
